import type { Columns } from '../columns.ts'

/** @owner accounts */
export const accountTables = (c: Columns) => ({
  /**
   * Registrations that wait for the proof of their address. They reserve neither address nor username, so any number of
   * them may have the same: the first proof creates the user.
   */
  pendingRegistrations: c.table(
    'pending_registrations',
    {
      /** The id of the mail that the registration sends, which is the `challenge_id` of its code. */
      id: c.text('id').primaryKey(),
      email: c.text('email').notNull(),
      emailKey: c.text('email_key').notNull(),
      username: c.text('username').notNull(),
      usernameKey: c.text('username_key').notNull(),
      passwordHash: c.text('password_hash').notNull(),
      passwordScheme: c.text('password_scheme').notNull(),
      /** The name of the person; null when the person gave none. */
      name: c.text('name'),
      /** The language that the user will have, a `Locale`; null when it is not known. */
      locale: c.text('locale'),
      createdAt: c.int('created_at').notNull(),
      expiresAt: c.int('expires_at').notNull(),
    },
    (t) => [
      c.index('pending_registrations_email_key_index').on(t.emailKey),
      c.index('pending_registrations_expires_at_index').on(t.expiresAt),
    ],
  ),
})
