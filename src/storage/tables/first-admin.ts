import type { Columns } from '../columns.ts'

/** @owner invitations */
export const firstAdminTables = (c: Columns) => ({
  /** The link with which the first administrator begins, of ADMIN_EMAIL: one row or none. */
  firstAdminLinks: c.table('first_admin_links', {
    /** Always the same word, so that there is one row at most. */
    slot: c.text('slot').primaryKey(),
    /** The id of the mail with the link, or of the file; the `subject` of the proof. */
    subject: c.text('subject').notNull(),
    email: c.text('email').notNull(),
    emailKey: c.text('email_key').notNull(),
    /** The token for the file `first-admin.txt`, sealed; null when the link is mailed. */
    sealed: c.text('sealed'),
    createdAt: c.int('created_at').notNull(),
    expiresAt: c.int('expires_at').notNull(),
  }),
})
