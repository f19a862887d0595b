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
  /**
   * Somebody signs in with an account at a provider that nobody used before, and says that this address is theirs. Its
   * code proves that. The mail is the same whether an account has the address or not.
   */
  link_identity: ['provider'],
  /** Somebody who knows the password typed five wrong codes of an authenticator app. */
  wrong_codes: ['time', 'ip'],
  /** After 100 wrong codes in a row, no code is accepted until another factor was shown. */
  codes_locked: ['time', 'ip'],
  /** An account at a provider was linked with the account of the user. */
  identity_linked: ['time', 'ip', 'provider'],
  /** The link was removed. */
  identity_unlinked: ['time', 'ip', 'provider'],
  /** An account was made for somebody who signed in with a provider. */
  identity_account: ['time', 'ip', 'provider'],
  /** A user wanted to link an account at a provider that is linked with another user. Both users get this mail. */
  identity_taken: ['time', 'provider'],
  /** A second factor was added to the account. */
  factor_added: ['time', 'ip', 'factor'],
  /** A second factor was removed. */
  factor_removed: ['time', 'ip', 'factor'],
  /** New recovery codes were made, and the former ones are void. */
  recovery_codes_renewed: ['time', 'ip'],
  /** Somebody used a recovery code. `left` is how many are left. */
  recovery_code_used: ['time', 'ip', 'left'],
  /** The user trusts a device: logins there do not ask for the second factor any more. */
  trusted_device_added: ['time', 'ip', 'device'],
  /** The counter of a passkey or security key shows that a copy of it may exist. */
  factor_copied: ['time', 'ip', 'factor'],
  /** Somebody wants to prove that the address of an account or of a registration is their own. */
  verify_email: [],
  /** Somebody forgot the password. */
  reset_password: [],
  /** An administrator wants the user to choose a new password. */
  reset_by_admin: [],
  /** To the former address of an account, which has it again. The undo removed the password. */
  address_restored: [],
  /** Somebody wants to log in without a password. */
  log_in: [],
  /** To the new address that a user wants. The account gets this address when the mail is confirmed. */
  confirm_address: [],
  /** To the former address of an account whose address was changed. The link of the mail undoes the change. */
  address_changed: ['time', 'ip', 'address'],
  /**
   * To the user of an address: somebody else wanted to register with it, or to change the address of an account to it.
   */
  address_taken: ['time'],
  /** An administrator made an account for the owner of this address, who sets its password with the link. */
  invitation: [],
  /** To ADMIN_EMAIL, while there is no administrator. The reader becomes the first one with the link. */
  first_admin: [],
  /** A policy requires a second factor, which the user does not have. */
  second_factor_due: ['due'],
  /** To a user who logged in, and must set up a second factor first. Its code proves that the user reads the address. */
  enroll_factor: [],
  /** An administrator lets a user who has lost every second factor remove them. */
  recover_factors: [],
  /** The user has removed the second factors with the link of such a mail. */
  factors_recovered: ['time', 'ip'],
  /** An administrator has removed second factors of the user. */
  factors_reset: ['time'],
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
 * The kinds of mails with a link or a code: the purpose of the link and code, and the page that the link opens. The
 * page `app` is LOGIN_URL; with `none`, the mail has only a code; the other pages are pages of Keyward or of LINK_URL.
 */
export const mailProofs = {
  verify_email: { purpose: 'verify_email', page: 'verify' },
  reset_password: { purpose: 'reset_password', page: 'reset' },
  reset_by_admin: { purpose: 'reset_password', page: 'reset' },
  address_restored: { purpose: 'reset_password', page: 'reset' },
  log_in: { purpose: 'log_in', page: 'app' },
  link_identity: { purpose: 'link_identity', page: 'none' },
  confirm_address: { purpose: 'change_email', page: 'confirm' },
  address_changed: { purpose: 'undo_email', page: 'undo' },
  invitation: { purpose: 'invitation', page: 'invite' },
  first_admin: { purpose: 'invitation', page: 'invite' },
  enroll_factor: { purpose: 'enroll_factor', page: 'none' },
  recover_factors: { purpose: 'recover_factors', page: 'factor-recovery' },
} as const satisfies Partial<Record<MailKind, { purpose: ProofPurpose; page: string }>>

export type ProofKind = keyof typeof mailProofs

/** The kinds of mails that anybody can ask for, to an address that may have an account or not. */
export type AskedKind =
  | 'verify_email'
  | 'reset_password'
  | 'log_in'
  | 'link_identity'
  | 'confirm_address'
  | 'enroll_factor'

/**
 * The placeholders that only the texts of a kind in `mailProofs` may name: the link, the code, how many minutes the
 * link (`minutes`) and the code (`code_minutes`) work, and the time at which the link expires (`until`).
 */
export const proofValues = ['link', 'code', 'minutes', 'code_minutes', 'until'] as const

export const hasProof = (kind: MailKind): kind is ProofKind => Object.hasOwn(mailProofs, kind)

export const isMailKind = (text: string): text is MailKind => Object.hasOwn(mailKinds, text)
