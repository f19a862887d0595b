import type { Store } from '../../storage/store.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Audit } from '../audit/audit.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Roles } from '../roles/roles.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'
import { createUser, type NewAccount, requireUser, setPassword } from './accounts.ts'
import { activate, deactivate, deleteUser } from './lifecycle.ts'

export type { NewAccount } from './accounts.ts'

export interface AdministrationNeeds {
  store: Store
  audit: Audit
  users: Users
  passwords: Passwords
  roles: Roles
  sessions: Sessions
  accounts: Accounts
}

/** What administrators do to the accounts of others. */
export interface Administration {
  /**
   * Creates an account, also while registration is closed and with a reserved name.
   * @throws KeywardError as `Accounts.register`
   */
  createUser(account: NewAccount): Promise<User>
  /**
   * Finds the account that a username or an address names.
   * @throws KeywardError `user_not_found`
   */
  requireUser(typed: string): Promise<User>
  /**
   * Sets a password without the former one. All sessions end, and all device tokens are voided.
   * @throws KeywardError `validation_failed`, `user_not_found`
   */
  setPassword(user: User, password: string): Promise<void>
  /**
   * Deactivates an account. Every session and token of it ends, and stays ended when it is activated again.
   * @throws KeywardError `last_admin`
   */
  deactivate(user: User): Promise<void>
  /** Activates an account; its user logs in again. */
  activate(user: User): Promise<void>
  /**
   * Deletes an account and all that is stored about the person. Audit events keep its id, which is never given again.
   * @throws KeywardError `last_admin`
   */
  deleteUser(user: User): Promise<void>
}

export const createAdministration = (needs: AdministrationNeeds): Administration => ({
  createUser: (account) => createUser(needs, account),
  requireUser: (typed) => requireUser(needs, typed),
  setPassword: (user, password) => setPassword(needs, user, password),
  deactivate: (user) => deactivate(needs, user),
  activate: (user) => activate(needs, user),
  deleteUser: (user) => deleteUser(needs, user),
})
