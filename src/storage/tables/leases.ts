import type { Columns } from '../columns.ts'

/** @owner storage */
export const leaseTables = (c: Columns) => ({
  leases: c.table('leases', {
    /** The name of a job that one process at a time may run. */
    name: c.text('name').primaryKey(),
    /** The random id of the process that has the lease. */
    holder: c.text('holder').notNull(),
    expiresAt: c.int('expires_at').notNull(),
  }),
})
