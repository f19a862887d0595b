import type { Columns } from '../columns.ts'

/** @owner mail */
export const mailTables = (c: Columns) => ({
  /**
   * The outbox: mails that wait, and mails that were sent or given up lately. There is no foreign key to `users`. The
   * feature `mail` deletes the mails of a user in the transaction that deletes the user.
   */
  mails: c.table(
    'mails',
    {
      id: c.text('id').primaryKey(),
      /** A `MailKind` of `features/mail/kinds.ts`, such as `password_changed`. */
      kind: c.text('kind').notNull(),
      userId: c.int('user_id'),
      recipient: c.text('recipient').notNull(),
      /** The language of the mail, a `Locale` of `lib/locale.ts`. */
      locale: c.text('locale').notNull(),
      /** JSON: the values in the text of the mail, such as the username, never a secret. `{}` once the mail is sent. */
      details: c.text('details').notNull(),
      /**
       * JSON, sealed: the token and the code of the mail. Null before the mail is made, after it was sent, and after they
       * have expired.
       */
      sealed: c.text('sealed'),
      /** When the token and the code of `sealed` expire. */
      sealedUntil: c.int('sealed_until'),
      /** `queued`, `sent`, `dead` for a mail that was given up, or `dropped` for a mail that nobody gets. */
      state: c.text('state').notNull(),
      /** How many times a process began to send the mail since the mail was last queued. */
      attempts: c.int('attempts').notNull(),
      /** When a process may begin the next attempt. The beginning of an attempt moves this time into the future. */
      dueAt: c.int('due_at').notNull(),
      createdAt: c.int('created_at').notNull(),
      /** When the mail was sent, given up or dropped; null while the mail is queued. */
      endedAt: c.int('ended_at'),
      /** Why the last attempt failed; null before the first failure and after the mail was sent. */
      error: c.text('error'),
    },
    (t) => [
      c.index('mails_state_due_at_index').on(t.state, t.dueAt),
      // For the lists of mails, which are read page by page.
      c.index('mails_created_at_index').on(t.createdAt, t.id),
      c.index('mails_state_created_at_index').on(t.state, t.createdAt, t.id),
      c.index('mails_ended_at_index').on(t.endedAt),
      c.index('mails_user_id_index').on(t.userId),
      c.index('mails_sealed_until_index').on(t.sealedUntil),
    ],
  ),
})
