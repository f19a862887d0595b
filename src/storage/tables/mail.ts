import type { Columns } from '../columns.ts'

/** @owner mail */
export const mailTables = (c: Columns) => ({
  /** Mails that wait to be sent, and what became of earlier ones. There is no foreign key: a mail may outlive its user. */
  mails: c.table(
    'mails',
    {
      id: c.text('id').primaryKey(),
      /** A `MailKind`. */
      kind: c.text('kind').notNull(),
      userId: c.int('user_id'),
      recipient: c.text('recipient').notNull(),
      /** A `Locale`. */
      locale: c.text('locale').notNull(),
      /** JSON: the values that the text of the mail names. They are deleted when the mail was sent. Never a secret. */
      details: c.text('details').notNull(),
      /**
       * JSON, sealed: the token and the code of the mail. Null before the mail is made, after it was sent, and after they
       * have expired.
       */
      sealed: c.text('sealed'),
      /** When the token and the code of `sealed` expire. */
      sealedUntil: c.int('sealed_until'),
      /** `queued`, `sent`, `dead`, or `dropped` when there was nobody to write to. */
      state: c.text('state').notNull(),
      /** How many times a process has begun to send the mail. */
      attempts: c.int('attempts').notNull(),
      /** When a queued mail may be sent. While a process sends it: when another process may try. */
      dueAt: c.int('due_at').notNull(),
      createdAt: c.int('created_at').notNull(),
      /** When the mail was sent, given up or dropped. */
      endedAt: c.int('ended_at'),
      /** Why the last attempt failed. */
      error: c.text('error'),
    },
    (t) => [
      c.index('mails_state_due_at_index').on(t.state, t.dueAt),
      c.index('mails_ended_at_index').on(t.endedAt),
      c.index('mails_user_id_index').on(t.userId),
      c.index('mails_sealed_until_index').on(t.sealedUntil),
    ],
  ),
})
