import type { Columns } from '../columns.ts'

/** @owner secrets */
export const secretTables = (c: Columns) => ({
  /** The data keys. Each purpose has a current key, which makes MACs. MACs of former keys are still accepted. */
  dataKeys: c.table(
    'data_keys',
    {
      id: c.text('id').primaryKey(),
      purpose: c.text('purpose').notNull(),
      /** Equals `purpose` for a current key; null for a former key. Thus the unique index allows one current key. */
      currentSlot: c.text('current_slot'),
      /**
       * The key, 32 bytes, sealed (`lib/seal.ts`) with SECRET_KEY. After a change of SECRET_KEY, the key stays sealed
       * with the earlier SECRET_KEY until all servers have the new SECRET_KEY.
       */
      sealedKey: c.text('sealed_key').notNull(),
      createdAt: c.int('created_at').notNull(),
    },
    (t) => [c.uniqueIndex('data_keys_current_slot_unique').on(t.currentSlot)],
  ),
  /** The running servers of this database. The row of a server that crashed counts until `expiresAt`. */
  processes: c.table('processes', {
    id: c.text('id').primaryKey(),
    /** The id of the server's SECRET_KEY; see `lib/seal.ts`. */
    secretId: c.text('secret_id').notNull(),
    /** The ids (`secretId`) of the secrets with which the server can open seals, space separated. */
    opens: c.text('opens').notNull(),
    startedAt: c.int('started_at').notNull(),
    /** From this time on the server counts as stopped. A running server raises this time once a minute. */
    expiresAt: c.int('expires_at').notNull(),
  }),
})
