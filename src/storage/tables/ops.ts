import type { Columns } from '../columns.ts'

export const opsTables = (c: Columns) => ({
  /** Written by `/readyz` to see whether the database takes writes: one row, whose content nobody reads. */
  writeProbes: c.table('write_probes', {
    name: c.text('name').primaryKey(),
    writtenAt: c.int('written_at').notNull(),
  }),
})
