import type { Columns } from '../columns.ts'

/** @owner limits */
export const limitTables = (c: Columns) => ({
  limits: c.table(
    'limits',
    {
      /**
       * `<rule>/<tier>/<counted key>` for a bucket. `reported/<rule>/<tier>/<counted key>` records that the audit event
       * `limit.exceeded` of this bucket was written. A key has the MAC of a name that a user typed, never the name.
       */
      key: c.text('key').primaryKey(),
      /** When all places of the bucket are free again: the theoretical arrival time of the algorithm GCRA. */
      fullAt: c.int('full_at').notNull(),
      /** When a process last took a place. Null for a row of an earlier version. */
      takenAt: c.int('taken_at'),
      /** The id of the process that took a place at `takenAt`. */
      takenBy: c.text('taken_by'),
      /** When a process other than `takenBy` last took a place. Null if no other process did. */
      othersTookAt: c.int('others_took_at'),
    },
    (t) => [c.index('limits_full_at_index').on(t.fullAt)],
  ),
})
