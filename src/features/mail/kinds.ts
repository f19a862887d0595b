import type { ProofPurpose } from '../proofs/proofs.ts'

/**
 * The kinds of mails. Each kind has the names of its facts: the values that a mail of this kind lists, in this order.
 * The texts of a kind may name its facts, and also `app` (APP_NAME), `username` and `support` (SUPPORT_EMAIL).
 * The texts of a kind in `mailProofs` may also name the `proofValues`.
 */
export const mailKinds = {
  /** The mail of `keyward mail test`. */
  test: ['time'],
  /** The user or an administrator changed the password. */
  password_changed: ['time', 'ip'],
  /** Somebody logged in with a device and from a network that Keyward does not know. */
  new_device: ['time', 'ip', 'device'],
  /** A session ended because of the reuse of a refresh token. */
  session_reused: ['time', 'ip', 'device'],
  /** Somebody wants to show that they read the address of an account. */
  verify_email: [],
  /** Somebody forgot the password. */
  reset_password: [],
  /** Somebody wants to log in without a password. */
  log_in: [],
  /** To the next address of an account: the address changes once this is confirmed. */
  confirm_address: [],
  /** To the former address of an account. */
  address_changed: ['time', 'ip', 'address'],
  /** Somebody tried to use an address that has an account already. */
  address_taken: ['time'],
} as const satisfies Record<string, readonly string[]>

export type MailKind = keyof typeof mailKinds

/**
 * The facts of one kind, as text for a person, except the time, which `Mails.notify` adds. The mail does not show an
 * empty or missing fact.
 */
export type MailValues<K extends MailKind = MailKind> = Partial<
  Record<Exclude<(typeof mailKinds)[K][number], 'time'>, string>
>

/**
 * The kinds whose mails carry a proof: what it is for, and the page to which the link leads. The link of `app` leads to
 * LOGIN_URL.
 */
export const mailProofs = {
  verify_email: { purpose: 'verify_email', page: 'verify' },
  reset_password: { purpose: 'reset_password', page: 'reset' },
  log_in: { purpose: 'log_in', page: 'app' },
  confirm_address: { purpose: 'change_email', page: 'confirm' },
  address_changed: { purpose: 'undo_email', page: 'undo' },
} as const satisfies Partial<Record<MailKind, { purpose: ProofPurpose; page: string }>>

export type ProofKind = keyof typeof mailProofs

/** The kinds of mails that anybody can ask for, to an address that may have an account or not. */
export type AskedKind = 'verify_email' | 'reset_password' | 'log_in' | 'confirm_address'

/**
 * The values that only kinds with a proof have: the link; the code, where there is one; how many minutes the link and
 * the code work; and until when the link works.
 */
export const proofValues = ['link', 'code', 'minutes', 'code_minutes', 'until'] as const

export const hasProof = (kind: MailKind): kind is ProofKind => Object.hasOwn(mailProofs, kind)

export const isMailKind = (text: string): text is MailKind => Object.hasOwn(mailKinds, text)
