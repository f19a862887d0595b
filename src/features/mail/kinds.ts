/**
 * The kinds of mails, with the values that the text of each names, in the order in which its list of facts shows them.
 * Besides them every text may name `app` (APP_NAME), `username` and `support` (SUPPORT_EMAIL).
 */
export const mailKinds = {
  /** Shows that mail works; `keyward mail test`. */
  test: ['time'],
  /** The password was changed, by its owner or by an administrator. */
  password_changed: ['time', 'ip'],
  /** A session ended because a used refresh token came again. */
  session_reused: ['time', 'ip', 'device'],
} as const satisfies Record<string, readonly string[]>

export type MailKind = keyof typeof mailKinds

/** The values of one kind, as text for a person, but for the time, which `queue` adds. An empty value is left out. */
export type MailValues<K extends MailKind = MailKind> = Partial<
  Record<Exclude<(typeof mailKinds)[K][number], 'time'>, string>
>

export const isMailKind = (text: string): text is MailKind => Object.hasOwn(mailKinds, text)
