import type { Columns } from '../columns.ts'

/** @owner probes */
export const probeTables = (c: Columns) => ({
  /** One row that `/readyz` writes to learn whether the database accepts writes. Its content is never read. */
  writeProbes: c.table('write_probes', {
    name: c.text('name').primaryKey(),
    writtenAt: c.int('written_at').notNull(),
    /** Makes the write as large as a registration: a smaller one may still fit on a disk that is full for those. */
    padding: c.text('padding'),
  }),
})
