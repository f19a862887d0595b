import { type Static, t } from 'elysia'
import { rfc3339 } from '../../lib/clock.ts'
import type { Factor } from '../factors/factors.ts'
import { UserPath } from './schemas.ts'

export const ManagedFactorView = t.Object(
  {
    id: t.String({ description: '`t` and a number for an authenticator app, `p` and a number for a passkey or key' }),
    type: t.String({ description: '`totp`, `passkey` or `security_key`' }),
    name: t.String({ description: 'The name that the user gave it' }),
    usable: t.Boolean({ description: '`false` for a passkey that was made for another domain' }),
    created_at: t.String({ format: 'date-time' }),
    last_used_at: t.Union([t.String({ format: 'date-time' }), t.Null()]),
  },
  {
    title: 'ManagedFactor',
    description: 'A second factor of a user, without its secret or key',
    examples: [
      {
        id: 't1',
        type: 'totp',
        name: 'Phone',
        usable: true,
        created_at: '2026-01-01T00:00:00.000Z',
        last_used_at: null,
      },
    ],
  },
)

export const toManagedFactorView = (factor: Factor): Static<typeof ManagedFactorView> => ({
  id: factor.id,
  type: factor.type,
  name: factor.name,
  usable: factor.isUsable,
  created_at: rfc3339(factor.createdAt),
  last_used_at: factor.lastUsedAt === null ? null : rfc3339(factor.lastUsedAt),
})

export const ManagedFactors = t.Object(
  { factors: t.Array(ManagedFactorView) },
  { title: 'ManagedFactors', examples: [{ factors: ManagedFactorView.examples as unknown[] }] },
)

export const FactorPath = t.Object({
  ...UserPath.properties,
  fid: t.String({ description: 'The id of the factor', examples: ['t1'] }),
})

export const FactorResetBody = t.Object(
  { reason: t.String({ description: 'Why, for the audit log: 1 to 200 characters, not about the person' }) },
  { title: 'FactorReset', examples: [{ reason: 'Lost phone, identity shown at the desk' }] },
)
