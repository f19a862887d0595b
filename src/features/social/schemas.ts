import { type Static, t } from 'elysia'
import { rfc3339 } from '../../lib/clock.ts'
import type { LinkedIdentity } from './social.ts'

export const IdentityView = t.Object(
  {
    id: t.Integer({ minimum: 1 }),
    provider: t.String({ description: 'The name of the provider' }),
    email: t.Union([t.String(), t.Null()], {
      description: 'The address that the provider told at the link; it decides nothing',
    }),
    created_at: t.String({ description: 'RFC 3339, UTC' }),
    last_used_at: t.String({ description: 'The last login with it (RFC 3339, UTC)' }),
  },
  {
    title: 'Identity',
    description: 'An account at a provider that signs a user in',
    examples: [
      {
        id: 1,
        provider: 'github',
        email: 'user@example.com',
        created_at: '2026-01-01T00:00:00.000Z',
        last_used_at: '2026-01-01T00:00:00.000Z',
      },
    ],
  },
)

export const toIdentityView = ({
  id,
  provider,
  email,
  createdAt,
  lastUsedAt,
}: LinkedIdentity): Static<typeof IdentityView> => ({
  id,
  provider,
  email,
  created_at: rfc3339(createdAt),
  last_used_at: rfc3339(lastUsedAt),
})

export const IdentityPath = t.Object({
  id: t.String({ description: 'The `id` in the list of your identities', examples: ['1'] }),
})
