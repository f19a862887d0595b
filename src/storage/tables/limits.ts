import type { Columns } from '../columns.ts'

/** @owner limits */
export const limitTables = (c: Columns) => ({
  limits: c.table(
    'limits',
    {
      /**
       * `<rule>/<tier>/<counted key>`, or `reported/` before such a key; see `features/limits/row-keys.ts`. The key has
       * the MAC of a typed name, not the name.
       */
      key: c.text('key').primaryKey(),
      /** When the bucket is full again: the theoretical arrival time of GCRA. */
      fullAt: c.int('full_at').notNull(),
      /** When a place was last taken. Null for a row of an earlier version. */
      takenAt: c.int('taken_at'),
      /** The process that took the place of `takenAt`. */
      takenBy: c.text('taken_by'),
      /** When a process other than `takenBy` last took a place. */
      othersTookAt: c.int('others_took_at'),
    },
    (t) => [c.index('limits_full_at_index').on(t.fullAt)],
  ),
})
