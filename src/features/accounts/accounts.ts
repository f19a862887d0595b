import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { ApiKeys } from '../api-keys/api-keys.ts'
import type { Audit } from '../audit/audit.ts'
import type { Factors } from '../factors/factors.ts'
import type { Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Proofs } from '../proofs/proofs.ts'
import type { Roles } from '../roles/roles.ts'
import type { LoginAnswer, LoginGrant, Raised, SessionCaller, Sessions } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'
import { changePassword, type PasswordChange } from './change-password.ts'
import { type Completion, completeRegistration } from './complete-registration.ts'
import { createAccount, type NewAccount } from './create-account.ts'
import { type DeletedBy, deleteOwn, deleteUser } from './delete-user.ts'
import { exportOwn } from './export.ts'
import { needsMailedCode, requireMailedCode } from './first-factor.ts'
import {
  checkPassword,
  type FreshProof,
  type PasswordOwner,
  type ProofNeeded,
  proofNeeded,
  requireFresh,
} from './fresh.ts'
import {
  answerFactor,
  answerFactorInBrowser,
  type BrowserLogin,
  type Login,
  logIn,
  logInBrowser,
  type SignedIn,
} from './login.ts'
import {
  type BrowserPasskeyLogin,
  logInWithPasskey,
  logInWithPasskeyInBrowser,
  type PasskeyLogin,
} from './passkey-login.ts'
import type { PendingRegistrations } from './pending.ts'
import { askToRegister, type Registration, register } from './register.ts'
import { type ProvedRegistration, registerProved } from './register-proved.ts'
import { describeStepUp, type StepUp, type StepUpWays, stepUp } from './step-up.ts'
import { type ProfileChange, updateProfile } from './update-profile.ts'

export type { PasswordChange } from './change-password.ts'
export type { Completion } from './complete-registration.ts'
export type { NewAccount } from './create-account.ts'
export type { FreshProof, PasswordOwner, ProofNeeded } from './fresh.ts'
export type { BrowserLogin, Login, SignedIn } from './login.ts'
export type { BrowserPasskeyLogin, PasskeyLogin } from './passkey-login.ts'
export { createPendingRegistrations, PENDING_LIFETIME, type PendingRegistrations } from './pending.ts'
export type { Registration } from './register.ts'
export type { ProvedRegistration } from './register-proved.ts'
export type { StepUp, StepUpWays } from './step-up.ts'
export type { ProfileChange } from './update-profile.ts'

export interface AccountsNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
  audit: Audit
  users: Users
  passwords: Passwords
  limits: Limits
  roles: Roles
  sessions: Sessions
  metrics: Pick<Metrics, 'login'>
  mails: Pick<Mails, 'isOn' | 'ask' | 'notify' | 'forgetUser' | 'exportOf'>
  pending: PendingRegistrations
  proofs: Pick<Proofs, 'exportOf'>
  apiKeys: Pick<ApiKeys, 'exportOf'>
  identities: { exportOf(userId: number): Promise<object[]> }
  factors: Pick<Factors, 'stateOf' | 'isOverdue' | 'exportOf' | 'openPasskey' | 'provePasskey'>
  /** What the user gave applications: lists of rows, by name. */
  applications: { exportOf(userId: number): Promise<object> }
  registration: RegistrationSettings
}

export interface RegistrationSettings {
  /** False when `REGISTRATION` is `closed`. */
  open: boolean
  /** True when `REQUIRE_EMAIL_VERIFICATION` is `true`: an account is created when its address is proved. */
  needsProof: boolean
  /** The mail domains whose addresses may register, subdomains included. If the list is empty, all domains may. */
  domainsAllowed: readonly string[]
  /** The mail domains whose addresses may not register, subdomains included, also if `domainsAllowed` has them. */
  domainsBlocked: readonly string[]
}

/**
 * The operations of people on their own account: register, log in, change the profile and the password, delete the
 * account.
 */
export interface Accounts {
  /**
   * Registers an account.
   * @throws KeywardError `registration_closed`, `validation_failed` with every wrong field, `email_taken`,
   *   `username_taken`, `rate_limited`, `overloaded`
   */
  register(registration: Registration): Promise<User>
  /**
   * Makes an account for an administrator, and runs `alongside` in the same transaction. Registration may be closed,
   * and the lists of mail domains and of reserved words do not apply. The username of a deleted user is refused
   * nevertheless. Without a password the user is invited: `alongside` must send the invitation.
   * @throws KeywardError `validation_failed` with every wrong field, `email_taken`, `username_taken`, `overloaded`; the
   *   error of `alongside`
   */
  create(account: NewAccount, alongside: (user: User) => Promise<void>): Promise<User>
  /** True when people register with `askToRegister`, and not with `register`. */
  needsProof: boolean
  /**
   * Begins a registration, which `completeRegistration` ends within 24 hours. The answer and the work are the same
   * whether an account has the address or not. If one has, the mail tells the owner of the account.
   * @returns the `challenge_id` that a client must send with the code of the mail
   * @throws KeywardError `registration_closed`, `mail_not_configured`, `validation_failed` with every wrong field,
   *   `username_taken`, `rate_limited`, `overloaded`
   */
  askToRegister(registration: Registration): Promise<string>
  /**
   * Registers an account without a password, whose address is proved, for somebody who signed in with another service.
   * The username is made from `wish` or the address. Runs `alongside` in the same transaction.
   * @throws KeywardError `registration_closed`; `validation_failed` for an address of a domain that may not register;
   *   `email_taken`; the error of `alongside`
   */
  registerProved(registration: ProvedRegistration, alongside: (user: User) => Promise<void>): Promise<User>
  /** @returns undefined when the pending registration is unknown, expired or completed */
  findRegistration(id: string): Promise<{ email: string; username: string } | undefined>
  /**
   * Creates the account of a pending registration, whose address is proved. All pending registrations with this address
   * end. With a new password, nothing stays of the registration but the username.
   * @param redeem uses up the proof, in the transaction that creates the account; throws when the proof is not valid
   * @throws KeywardError `proof_required` without a password; `validation_failed`, `invalid_password` and
   *   `username_taken` (nothing is used up); `invalid_or_expired`, `rate_limited`, `overloaded`
   */
  completeRegistration(completion: Completion, redeem: () => Promise<void>): Promise<User>
  /** Deletes up to `limit` pending registrations that have expired. @returns how many */
  cleanUp(limit: number): Promise<number>
  /**
   * Logs in with a password and begins a session. An unknown name, a wrong password and an inactive account get the
   * same refusal after the same time.
   * @throws KeywardError `invalid_credentials`, `rate_limited`, `overloaded`; `mfa_required` when the password is right
   *   and a second factor is due
   */
  logIn(login: Login): Promise<LoginGrant>
  /**
   * As `logIn`, and begins a browser session. It has no tokens but a cookie.
   * @throws KeywardError as `logIn`
   */
  logInBrowser(login: BrowserLogin): Promise<SignedIn>
  /**
   * Logs in with a passkey alone, which is both factors. Nobody types a name: the answer of the browser says whose passkey
   * it is. `Factors.askForPasskey` makes the options, and each of them works once.
   * @throws KeywardError `invalid_passkey`, also for an inactive account; `unknown_passkey` when no account has it;
   *   `rate_limited`; `not_found` with `PASSKEYS=off`
   */
  logInWithPasskey(login: PasskeyLogin): Promise<LoginGrant>
  /** As `logInWithPasskey`, and begins a browser session. */
  logInWithPasskeyInBrowser(login: BrowserPasskeyLogin): Promise<SignedIn>
  /**
   * Ends a login that waited for the second factor; see `Sessions.answerFactor`.
   * @throws KeywardError as `Sessions.answerFactor`
   */
  answerFactor(login: Omit<LoginAnswer, 'browser'>): Promise<LoginGrant>
  /** As `answerFactor`, for a login that began on a page. */
  answerFactorInBrowser(login: LoginAnswer): Promise<SignedIn>
  /**
   * Changes the caller's password. All sessions of the user except the caller's end, all known devices and networks
   * except the caller's are forgotten, and a login under way with the old password fails. A wrong current password
   * counts in the same rate limits as a failed login. Otherwise a thief with an access token could guess without a
   * limit.
   * A user with a second factor must also have shown it in the last 15 minutes.
   * @throws KeywardError `validation_failed`, `rate_limited`, `overloaded`, `invalid_password` (also when another
   *   request has just changed the password), `reauthentication_required` when the second factor was not checked lately,
   *   `invalid_token` when the caller's session has just ended
   */
  changePassword(caller: SessionCaller, change: PasswordChange): Promise<void>
  /**
   * Changes the caller's username, name and language. Nothing is written when nothing changes. Another address needs a
   * fresh session or the password, and first gets only a mail. The address changes when the link in the mail is
   * confirmed. The answer and the work are the same for an address that another user has.
   * @throws KeywardError `validation_failed`, `username_taken`, `rate_limited`; `invalid_token` when all sessions of
   *   the user have just ended; for an address also those of `requireFresh` and `requireMailedCode`, and
   *   `mail_not_configured`
   */
  updateProfile(caller: SessionCaller, change: ProfileChange): Promise<User>
  /**
   * Makes sure that a credential was checked in the last 15 minutes, or that the request has the right password; for a
   * user with a second factor, that a second factor was checked in the last 15 minutes. Call it in every use case of a
   * route with the word `fresh`, before anything is changed.
   * @throws KeywardError `reauthentication_required`; `invalid_password`, which counts as a failed login;
   *   `rate_limited`, `overloaded`
   */
  requireFresh(caller: SessionCaller, proof: FreshProof): Promise<void>
  /**
   * Makes sure that the password, or an account at another service, is not enough to get back the rights that a rule
   * withholds until there is a second factor. When the user has none, the grace period is over and mail is on, the
   * session must have begun by mail. Call it before a user adds a factor, or asks for another address.
   * @throws KeywardError `mfa_enrollment_required` with an `mfa_token`, with which the user adds an authenticator app
   *   after the code of a mail; `rate_limited` when the account has too many such tokens
   */
  requireMailedCode(caller: SessionCaller, from: { ip: string }): Promise<void>
  /** True when `requireMailedCode` refuses the caller. */
  needsMailedCode(caller: SessionCaller): Promise<boolean>
  /** Says what `requireFresh` asks of the caller now; with `credential`, the password in the body is enough. */
  proofNeeded(caller: SessionCaller): Promise<ProofNeeded>
  /**
   * Checks a password or a second factor of the caller, and makes new credentials of the same session, which is then
   * fresh: with a second factor for everything, with the password for what needs no second factor.
   * @throws KeywardError `invalid_password`, which counts as a failed login; `invalid_code`, `webauthn_failed`,
   *   `totp_locked`, `rate_limited`, `overloaded`; `invalid_token` when the session has just ended
   */
  stepUp(caller: SessionCaller, shown: StepUp): Promise<Raised>
  /**
   * Says what `stepUp` accepts now.
   * @param how.withOptions true also makes new request options of WebAuthn; earlier ones become void
   */
  describeStepUp(caller: SessionCaller, how: { withOptions: boolean }): Promise<StepUpWays>
  /** True when the account has a password, false when its owner logs in in other ways only. */
  hasPassword(userId: number): Promise<boolean>
  /**
   * Makes sure that a password is that of an account, outside a login. A wrong password counts as a failed login.
   * @throws KeywardError `invalid_password`, `rate_limited`, `overloaded`
   */
  checkPassword(owner: PasswordOwner, proof: FreshProof & { password: string }): Promise<void>
  /**
   * Deletes the caller's account, as `deleteUser` does.
   * @throws KeywardError those of `requireFresh` and `deleteUser`; `invalid_token` when all sessions of the user have
   *   just ended
   */
  deleteOwn(caller: SessionCaller, proof: FreshProof): Promise<void>
  /**
   * Reads all that is stored about the caller, without hashes, MACs and seals. Returns the parts of one JSON text, to
   * be sent while they are read.
   * @throws KeywardError those of `requireFresh`; `rate_limited`
   */
  exportOwn(caller: SessionCaller, proof: FreshProof): Promise<AsyncGenerator<string>>
  /**
   * Deletes a user and all personal data. Audit events keep the user's id, which no other user ever gets. The username
   * stays reserved, as a MAC; a new user can have the address immediately.
   *
   * One transaction deletes the user. Short transactions delete the ended sessions before it, and afterwards erase the
   * IP addresses and session ids in the user's audit events, so that no other write waits long. After a crash, the
   * clean-up job of a server erases the rest.
   * @throws KeywardError `last_admin`; the error of `by.allow`
   */
  deleteUser(user: User, by?: DeletedBy): Promise<void>
}

export const createAccounts = (needs: AccountsNeeds): Accounts => ({
  register: (registration) => register(needs, registration),
  create: (account, alongside) => createAccount(needs, account, alongside),
  needsProof: needs.registration.needsProof,
  askToRegister: (registration) => askToRegister(needs, registration),
  registerProved: (registration, alongside) => registerProved(needs, registration, alongside),
  findRegistration: (id) => needs.pending.find(id),
  cleanUp: (limit) => needs.pending.cleanUp(limit),
  completeRegistration: (completion, redeem) => completeRegistration(needs, completion, redeem),
  logIn: (login) => needs.metrics.login('password', logIn(needs, login)),
  logInBrowser: (login) => needs.metrics.login('password', logInBrowser(needs, login)),
  logInWithPasskey: (login) => needs.metrics.login('passkey', logInWithPasskey(needs, login)),
  logInWithPasskeyInBrowser: (login) => needs.metrics.login('passkey', logInWithPasskeyInBrowser(needs, login)),
  answerFactor: (login) => needs.metrics.login('second_factor', answerFactor(needs, login)),
  answerFactorInBrowser: (login) => needs.metrics.login('second_factor', answerFactorInBrowser(needs, login)),
  changePassword: (caller, change) => changePassword(needs, caller, change),
  updateProfile: (caller, change) => updateProfile(needs, caller, change),
  requireFresh: (caller, proof) => requireFresh(needs, caller, proof),
  requireMailedCode: (caller, from) => requireMailedCode(needs, caller, from),
  needsMailedCode: (caller) => needsMailedCode(needs, caller),
  exportOwn: (caller, proof) => exportOwn(needs, caller, proof),
  proofNeeded: (caller) => proofNeeded(needs, caller),
  stepUp: (caller, shown) => stepUp(needs, caller, shown),
  describeStepUp: (caller, how) => describeStepUp(needs, caller, how),
  hasPassword: async (userId) => typeof (await needs.users.findPassword(userId))?.hash === 'string',
  checkPassword: (owner, proof) => checkPassword(needs, owner, proof),
  deleteOwn: (caller, proof) => deleteOwn(needs, caller, proof),
  deleteUser: (user, by) => deleteUser(needs, user, by && { by }),
})
