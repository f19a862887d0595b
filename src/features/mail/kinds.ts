/**
 * The kinds of mails. Each kind has the names of its facts: the values that a mail of this kind lists, in this order.
 * The texts of a kind may name its facts, and also `app` (APP_NAME), `username` and `support` (SUPPORT_EMAIL).
 */
export const mailKinds = {
  /** The mail of `keyward mail test`. */
  test: ['time'],
  /** The user or an administrator changed the password. */
  password_changed: ['time', 'ip'],
  /** A session ended because of the reuse of a refresh token. */
  session_reused: ['time', 'ip', 'device'],
} as const satisfies Record<string, readonly string[]>

export type MailKind = keyof typeof mailKinds

/**
 * The facts of one kind, as text for a person, except the time, which `Mails.notify` adds. The mail does not show an
 * empty or missing fact.
 */
export type MailValues<K extends MailKind = MailKind> = Partial<
  Record<Exclude<(typeof mailKinds)[K][number], 'time'>, string>
>

export const isMailKind = (text: string): text is MailKind => Object.hasOwn(mailKinds, text)
