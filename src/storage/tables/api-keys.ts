import type { Columns } from '../columns.ts'
import { userReference, type userTables } from './users.ts'

/** @owner api-keys */
export const apiKeyTables = (c: Columns, tables: ReturnType<typeof userTables>) => ({
  apiKeys: c.table(
    'api_keys',
    {
      id: c.id('id'),
      ownerId: userReference(c, tables, 'owner_id'),
      name: c.text('name').notNull(),
      /** HMAC-SHA-256 of the API key. The API key itself is not stored: its creator sees it once. */
      mac: c.text('mac').notNull(),
      /** Permissions, space separated. A request may use only those that the owner has at the time of the request. */
      scopes: c.text('scopes').notNull(),
      createdAt: c.int('created_at').notNull(),
      expiresAt: c.int('expires_at'),
      lastUsedAt: c.int('last_used_at'),
      revokedAt: c.int('revoked_at'),
    },
    (t) => [c.uniqueIndex('api_keys_mac_unique').on(t.mac), c.index('api_keys_owner_id_index').on(t.ownerId)],
  ),
})
