import type { Columns } from '../columns.ts'

export const leaseTables = (c: Columns) => ({
  leases: c.table('leases', {
    /** The job that one process does for all. */
    name: c.text('name').primaryKey(),
    holder: c.text('holder').notNull(),
    expiresAt: c.int('expires_at').notNull(),
  }),
})
