import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Roles } from '../roles/roles.ts'
import type { LoginGrant, SessionCaller, Sessions } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'
import { changePassword, type PasswordChange } from './change-password.ts'
import { type Login, logIn } from './login.ts'
import { type Registration, register } from './register.ts'

export type { PasswordChange } from './change-password.ts'
export type { Login } from './login.ts'
export type { Registration } from './register.ts'

export interface AccountsNeeds {
  store: Store
  audit: Audit
  users: Users
  passwords: Passwords
  limits: Limits
  roles: Roles
  sessions: Sessions
  metrics: Pick<Metrics, 'login'>
  mails: Pick<Mails, 'notify'>
  registration: RegistrationSettings
}

export interface RegistrationSettings {
  /** False when `REGISTRATION` is `closed`. */
  open: boolean
  /** The mail domains whose addresses may register, subdomains included. If the list is empty, all domains may. */
  domainsAllowed: readonly string[]
  /** The mail domains whose addresses may not register, subdomains included, also if `domainsAllowed` has them. */
  domainsBlocked: readonly string[]
}

/** The operations of people on their own account: register, log in, change the password. */
export interface Accounts {
  /**
   * Registers an account.
   * @throws KeywardError `registration_closed`, `validation_failed` with every wrong field, `email_taken`,
   *   `username_taken`, `rate_limited`, `overloaded`
   */
  register(registration: Registration): Promise<User>
  /**
   * Logs in with a password and begins a session. An unknown name, a wrong password and an inactive account get the
   * same refusal after the same time.
   * @throws KeywardError `invalid_credentials`, `rate_limited`, `overloaded`
   */
  logIn(login: Login): Promise<LoginGrant>
  /**
   * Changes the caller's password. All sessions of the user except the caller's end, all known devices and networks
   * except the caller's are forgotten, and a login under way with the old password fails. A wrong current password
   * counts in the same rate limits as a failed login. Otherwise a thief with an access token could guess without a
   * limit.
   * @throws KeywardError `validation_failed`, `rate_limited`, `overloaded`, `invalid_password` (also when another
   *   request has just changed the password), `invalid_token` when the caller's session has just ended
   */
  changePassword(caller: SessionCaller, change: PasswordChange): Promise<void>
}

export const createAccounts = (needs: AccountsNeeds): Accounts => ({
  register: (registration) => register(needs, registration),
  logIn: (login) => needs.metrics.login('password', logIn(needs, login)),
  changePassword: (caller, change) => changePassword(needs, caller, change),
})
