import type { Columns } from '../columns.ts'

/** @owner probes */
export const probeTables = (c: Columns) => ({
  /** One row that `/readyz` writes to find out whether the database accepts writes. No code reads the row. */
  writeProbes: c.table('write_probes', {
    name: c.text('name').primaryKey(),
    writtenAt: c.int('written_at').notNull(),
    /** Makes the write as large as a registration. A smaller write can succeed on a disk that is nearly full. */
    padding: c.text('padding'),
  }),
})
