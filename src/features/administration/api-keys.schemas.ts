import { type Static, t } from 'elysia'
import { userIdParameter } from '../../http/query.ts'
import { optionalText, refusedWith } from '../../http/schemas.ts'
import { rfc3339 } from '../../lib/clock.ts'
import type { ApiKey } from '../api-keys/api-keys.ts'
import { permissions } from '../roles/roles.ts'
import { cursor, limit, nextCursor } from './parts.schemas.ts'

const words = permissions.map((word) => `\`${word}\``).join(', ')

const time = (description: string) => t.Union([t.String(), t.Null()], { description: `${description} (RFC 3339, UTC)` })

export const ApiKeyView = t.Object(
  {
    id: t.Integer({ minimum: 1 }),
    owner_id: t.Integer({ minimum: 1, description: 'The user for whom the key acts' }),
    name: t.String({ description: 'What the key is for' }),
    scopes: t.Array(t.String(), { description: 'The permissions of the key, as far as the owner has them too' }),
    created_at: t.String({ description: 'RFC 3339, UTC' }),
    expires_at: time('`null` if the key never expires'),
    last_used_at: time('At most a minute old; `null` before the first use'),
    revoked_at: time('`null` if the key is not revoked'),
  },
  {
    title: 'ApiKey',
    description: 'An API key, without its text',
    examples: [
      {
        id: 1,
        owner_id: 1,
        name: 'gateway',
        scopes: ['tokens:introspect'],
        created_at: '2026-01-01T00:00:00.000Z',
        expires_at: null,
        last_used_at: null,
        revoked_at: null,
      },
    ],
  },
)

const atOrNull = (at: number | null): string | null => (at === null ? null : rfc3339(at))

export const toApiKeyView = (key: ApiKey): Static<typeof ApiKeyView> => ({
  id: key.id,
  owner_id: key.ownerId,
  name: key.name,
  scopes: key.scopes.split(' '),
  created_at: rfc3339(key.createdAt),
  expires_at: atOrNull(key.expiresAt),
  last_used_at: atOrNull(key.lastUsedAt),
  revoked_at: atOrNull(key.revokedAt),
})

const example = ApiKeyView.examples[0] as object

export const NewApiKeyView = t.Object(
  {
    ...ApiKeyView.properties,
    key: t.String({ description: 'The text of the key. It is shown only here: store it now' }),
  },
  {
    title: 'CreatedApiKey',
    description: 'A new API key, with its text',
    examples: [{ ...example, key: 'kw_…' }],
  },
)

export const ApiKeyPage = t.Object(
  { items: t.Array(ApiKeyView), next_cursor: nextCursor },
  {
    title: 'ApiKeyPage',
    description: 'A part of the list of API keys, by ascending id',
    examples: [{ items: [example], next_cursor: null }],
  },
)

export const ApiKeyQuery = t.Object({
  owner_id: userIdParameter('owner_id', 'Only the keys of the user with this id'),
  cursor,
  limit,
})

export const ApiKeyPath = t.Object({ id: t.String({ description: 'The `id` of the key', examples: ['1'] }) })

export const NewApiKeyBody = t.Object(
  {
    name: t.String({ description: 'What the key is for: 1 to 100 characters' }),
    scopes: t.Array(t.String(), { description: `The permissions of the key, at least one: ${words}` }),
    owner_id: t.Optional(
      t.Union([t.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), t.Null()], {
        description: 'The user for whom the key acts; you, if you send none',
        ...refusedWith('The id of a user is a whole number from 1 on'),
      }),
    ),
    expires_at: optionalText('When the key expires (RFC 3339); it never does if you send none'),
  },
  {
    title: 'NewApiKey',
    examples: [{ name: 'gateway', scopes: ['tokens:introspect'], expires_at: '2037-01-31T12:00:00Z' }],
  },
)
