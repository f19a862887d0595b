import type { Columns } from '../columns.ts'

/** @owner limits */
export const limitTables = (c: Columns) => ({
  limits: c.table(
    'limits',
    {
      /** Rule, tier and counted key; see `features/limits/row-keys.ts`. A typed name is stored as a MAC. */
      key: c.text('key').primaryKey(),
      /** When the bucket is full again: the theoretical arrival time of GCRA. */
      fullAt: c.int('full_at').notNull(),
    },
    (t) => [c.index('limits_full_at_index').on(t.fullAt)],
  ),
})
