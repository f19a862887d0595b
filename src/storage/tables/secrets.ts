import type { Columns } from '../columns.ts'

/** @owner secrets */
export const secretTables = (c: Columns) => ({
  /** The data keys. A MAC is made with the current key of its purpose. MACs of former keys are accepted, too. */
  dataKeys: c.table(
    'data_keys',
    {
      id: c.text('id').primaryKey(),
      purpose: c.text('purpose').notNull(),
      /** The purpose of a current key; null for a former key. The unique index allows one current key per purpose. */
      currentSlot: c.text('current_slot'),
      /** 32 bytes, sealed (`lib/seal.ts`) with SECRET_KEY, or an earlier one until all servers have the new one. */
      sealedKey: c.text('sealed_key').notNull(),
      createdAt: c.int('created_at').notNull(),
    },
    (t) => [c.uniqueIndex('data_keys_current_slot_unique').on(t.currentSlot)],
  ),
  /** The running servers of this database. The row of a server that crashed stays until `expiresAt`. */
  processes: c.table('processes', {
    id: c.text('id').primaryKey(),
    /** The id of the server's SECRET_KEY; see `lib/seal.ts`. */
    secretId: c.text('secret_id').notNull(),
    /** The ids of the secrets with which the server can open seals, space separated. */
    opens: c.text('opens').notNull(),
    startedAt: c.int('started_at').notNull(),
    /** When the server counts as stopped. The server raises this time once a minute. */
    expiresAt: c.int('expires_at').notNull(),
  }),
})
