import type { Columns } from '../columns.ts'

export const limitTables = (c: Columns) => ({
  limits: c.table(
    'limits',
    {
      /** Rule, tier and what is counted; see `features/limits/limiter.ts`. Names that people typed stand here as a MAC. */
      key: c.text('key').primaryKey(),
      /** GCRA's theoretical arrival time: when the bucket is full again. */
      fullAt: c.int('full_at').notNull(),
    },
    (t) => [c.index('limits_full_at_index').on(t.fullAt)],
  ),
})
