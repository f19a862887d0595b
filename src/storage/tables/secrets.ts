import type { Columns } from '../columns.ts'

/** @owner secrets */
export const secretTables = (c: Columns) => ({
  /** The keys of MACs. A purpose has one current key, which makes MACs; its former keys are still accepted. */
  dataKeys: c.table(
    'data_keys',
    {
      id: c.text('id').primaryKey(),
      purpose: c.text('purpose').notNull(),
      /** The purpose while the key is current, else null: the unique index allows one such key per purpose. */
      currentSlot: c.text('current_slot'),
      /** 32 bytes, sealed with SECRET_KEY; see `lib/seal.ts`. */
      sealedKey: c.text('sealed_key').notNull(),
      createdAt: c.int('created_at').notNull(),
    },
    (t) => [c.uniqueIndex('data_keys_current_slot_unique').on(t.currentSlot)],
  ),
  /** The running servers of this database. */
  processes: c.table('processes', {
    id: c.text('id').primaryKey(),
    /** The id of its SECRET_KEY; see `lib/seal.ts`. */
    secretId: c.text('secret_id').notNull(),
    /** The ids of all secrets with which it can open seals, space separated. */
    opens: c.text('opens').notNull(),
    startedAt: c.int('started_at').notNull(),
    /** The process counts as ended from then on. It raises this time once a minute. */
    expiresAt: c.int('expires_at').notNull(),
  }),
})
