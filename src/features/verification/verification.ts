import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Store } from '../../storage/store.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import type { Audit } from '../audit/audit.ts'
import type { Factors } from '../factors/factors.ts'
import type { Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { CODE_LIFETIME, type Proofs, tokenLifetimes } from '../proofs/proofs.ts'
import type { LoginGrant, Sessions } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'
import {
  type AddressChange,
  type AddressUndo,
  confirmEmail,
  findForConfirm,
  findForUndo,
  type NextAddress,
  undoEmail,
} from './change-email.ts'
import { logInByMail, type MailLogin } from './email-login.ts'
import { noteFirstProof } from './first-proof.ts'
import { type FactorRecovery, recoverFactors } from './recover-factors.ts'
import { type PasswordReset, resetPassword } from './reset-password.ts'
import { findByToken } from './shown.ts'
import { type AddressProof, verifyEmail } from './verify-email.ts'

export type { AddressChange, AddressUndo, NextAddress } from './change-email.ts'
export type { MailLogin } from './email-login.ts'
export type { FactorRecovery } from './recover-factors.ts'
export type { PasswordReset } from './reset-password.ts'
export type { AddressProof } from './verify-email.ts'

export interface VerificationNeeds {
  store: Store
  clock: Clock
  audit: Audit
  users: Users
  passwords: Passwords
  limits: Limits
  sessions: Sessions
  factors: Pick<Factors, 'reset' | 'removeOf'>
  apiKeys: Pick<ApiKeys, 'revokeOf'>
  identities: { removeOf(userId: number): Promise<void> }
  proofs: Proofs
  mails: Pick<Mails, 'isOn' | 'ask' | 'notify' | 'find'>
  accounts: Pick<Accounts, 'checkPassword' | 'completeRegistration' | 'findRegistration'>
  metrics: Pick<Metrics, 'login'>
  settings: {
    /** True when `EMAIL_LOGIN` is `on`. */
    emailLogin: boolean
    /** True when a mail to log in has a link besides its code, that is, when `LOGIN_URL` is set. */
    hasLoginLink: boolean
  }
}

/** A mail that somebody asks for, to an address as it was typed. */
export interface AskedFor {
  email: string
  /** The language of the request, for a mail to a user without a stored language. */
  locale: Locale | undefined
  /** The client's network, for limits. */
  client: string
  ip: string
}

/** The operations of people with the links and codes of mails. */
export interface Verification {
  /**
   * Does what the first proof of an address does: ends all sessions, and drops the password, known devices, API keys,
   * linked identities and the links and codes of mails that were set before. Call it in a transaction, for somebody who
   * has proved the address in another way than with a mail.
   * @returns false when the address was proved before; then nothing is changed
   */
  takeOver(of: { userId: number; ip: string }): Promise<boolean>
  /**
   * Sends a link to choose a new password, if the address belongs to an active account. The answer and the work are the
   * same for every address.
   * @throws KeywardError `mail_not_configured`, `validation_failed`, `rate_limited`
   */
  forgotPassword(asked: AskedFor): Promise<void>
  /**
   * Finds the account whose password a link would set. The link is not used up, because some mail programs open every
   * link of a mail.
   * @returns undefined when the link is unknown, used, expired or void
   */
  findForReset(token: string): Promise<User | undefined>
  /**
   * Sets a new password with the token of a mail. All sessions of the user end, and all known devices and networks are
   * forgotten. The mail proves the address. When the address was not proved before, API keys are revoked too, because
   * somebody else may have made the account. Nobody is logged in.
   * @throws KeywardError `invalid_or_expired`, `validation_failed` (the token stays valid), `overloaded`
   */
  resetPassword(reset: PasswordReset): Promise<void>
  /**
   * Sends a link and a code that prove an address, if an account or a pending registration with this address waits for
   * the proof. The answer and the work are the same for every address.
   * @returns the `challenge_id` that a client must send with the code
   * @throws KeywardError `mail_not_configured`, `validation_failed`, `rate_limited`
   */
  askToVerify(asked: AskedFor): Promise<string>
  /**
   * Finds the account, or the pending registration, whose address a link would prove. The link is not used up.
   * @returns undefined when the link is unknown, used, expired or void
   */
  findForVerify(token: string): Promise<{ email: string; username: string } | undefined>
  /**
   * Records that the address of an account is proved, or creates the account of a pending registration. A new
   * password replaces the old one, ends all sessions, forgets known devices and networks, and revokes API keys.
   * @throws KeywardError `proof_required` when the request has neither the password, nor a new password, nor a session
   *   of this account; `validation_failed`, `invalid_password`, `username_taken`; `invalid_or_expired`, `rate_limited`,
   *   `overloaded`. After an error, a valid token stays valid, and a code may have lost one of its tries.
   */
  verifyEmail(proof: AddressProof): Promise<User>
  /**
   * Sends a code to log in without a password, and a link too if LOGIN_URL is set. The answer and the work are the
   * same for every address.
   * @returns the `challenge_id` that a client must send with the code, and for how many milliseconds the mail works: the
   *   lifetime of its link, or of its code when it has no link
   * @throws KeywardError `not_found` without EMAIL_LOGIN; `mail_not_configured`, `validation_failed`, `rate_limited`
   */
  askToLogIn(asked: AskedFor): Promise<{ id: string; lifetime: number }>
  /**
   * Begins a session with the token or the code of a mail. When the address was not proved before, the login proves it.
   * The login then removes the password, ends earlier sessions, and revokes API keys: a stranger may have set them.
   * @throws KeywardError `not_found` without EMAIL_LOGIN; `invalid_or_expired`, `validation_failed`, `rate_limited`
   */
  logInByMail(login: MailLogin): Promise<LoginGrant>
  /**
   * Finds the account whose address a link would change, and its next address. The link is not used up.
   * @returns undefined when the link is unknown, used, expired or void
   */
  findForConfirm(token: string): Promise<NextAddress | undefined>
  /**
   * Changes the address of an account with the token of a mail to the next address. All sessions of the user end,
   * except that of the caller. The former address gets a mail with a link to undo the change. It stays reserved for the
   * user as long as the link is valid (72 hours).
   * @throws KeywardError `mail_not_configured`, `invalid_or_expired`; `email_taken` when the address belongs to
   *   another user or is reserved for one (the token stays valid); `invalid_token` when the caller's session has just
   *   ended
   */
  confirmEmail(change: AddressChange): Promise<User>
  /**
   * Finds the account to which a link would bring a former address back, and this address. The link is not used up.
   * @returns undefined when the link is unknown, used, expired or void
   */
  findForUndo(token: string): Promise<NextAddress | undefined>
  /**
   * Brings a former address back with the token of a mail to it. All sessions end, the password is removed, known
   * devices and networks are forgotten, API keys are revoked, factors that were added from a day before the change on are
   * removed, and links and codes of other mails become void, because a thief may have changed the address. The restored address gets a link to choose a new password. Nobody is logged
   * in. The undo links of addresses that the account had later become void.
   * @throws KeywardError `invalid_or_expired`; `mail_not_configured`, and the link then stays good
   */
  undoEmail(undo: AddressUndo): Promise<void>
  /**
   * Finds the account whose second factors a link would remove. The link is not used up.
   * @returns undefined when the link is unknown, used, expired or void
   */
  findForRecovery(token: string): Promise<User | undefined>
  /**
   * Removes all second factors and recovery codes with the token of a mail, which an administrator has asked for, and
   * the password. All sessions of the user end, and all known devices and networks are forgotten. Nobody is logged in.
   * A wrong password counts as a failed login, and the token stays valid.
   * @throws KeywardError `invalid_or_expired`, `invalid_password`, `rate_limited`, `overloaded`
   */
  recoverFactors(recovery: FactorRecovery): Promise<void>
}

export function createVerification(needs: VerificationNeeds): Verification {
  const { mails, metrics, settings, proofs, accounts } = needs
  const requireEmailLogin = () => {
    if (!settings.emailLogin) throw new KeywardError('not_found')
  }
  return {
    async takeOver(of) {
      if (!(await noteFirstProof(needs, of))) return false
      await needs.users.dropPassword(of.userId)
      return true
    },
    forgotPassword: async (asked) => void (await mails.ask({ kind: 'reset_password', ...asked })),
    findForReset: async (token) => (await findByToken(needs, 'reset_password', token))?.user,
    resetPassword: (reset) => resetPassword(needs, reset),
    askToVerify: (asked) => mails.ask({ kind: 'verify_email', ...asked }),
    async findForVerify(token) {
      const proof = await proofs.find('verify_email', token)
      if (!proof) return undefined
      return proof.subject === null ? proofs.findHolder(proof) : accounts.findRegistration(proof.subject)
    },
    verifyEmail: (proof) => verifyEmail(needs, proof),
    findForConfirm: (token) => findForConfirm(needs, token),
    confirmEmail: (change) => confirmEmail(needs, change),
    findForUndo: (token) => findForUndo(needs, token),
    undoEmail: (undo) => undoEmail(needs, undo),
    findForRecovery: async (token) => (await findByToken(needs, 'recover_factors', token))?.user,
    recoverFactors: (recovery) => recoverFactors(needs, recovery),
    async askToLogIn(asked) {
      requireEmailLogin()
      const id = await mails.ask({ kind: 'log_in', ...asked })
      return { id, lifetime: settings.hasLoginLink ? tokenLifetimes.log_in : CODE_LIFETIME }
    },
    async logInByMail(login) {
      requireEmailLogin()
      return metrics.login('email', logInByMail(needs, login))
    },
  }
}
