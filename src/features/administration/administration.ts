import { invalidField, KeywardError } from '../../errors.ts'
import type { Store } from '../../storage/store.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Audit } from '../audit/audit.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Roles } from '../roles/roles.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'

interface NewAccount {
  email: string
  username: string
  password: string
  /** The account gets the role `admin`. */
  admin: boolean
}

interface AdministrationNeeds {
  store: Store
  audit: Audit
  users: Users
  passwords: Passwords
  roles: Roles
  sessions: Sessions
  accounts: Accounts
}

/** The operations with which administrators manage the accounts of others. */
export interface Administration {
  /**
   * Creates an account, even when registration is closed or the username is reserved.
   * @throws KeywardError the same codes as `Accounts.register`
   */
  createUser(account: NewAccount): Promise<User>
  /**
   * Finds a user by username or address.
   * @throws KeywardError `user_not_found`
   */
  requireUser(typed: string): Promise<User>
  /**
   * Sets a password without the former one. All sessions of the user end, and all device tokens are revoked.
   * @throws KeywardError `validation_failed`, `user_not_found`
   */
  setPassword(user: User, password: string): Promise<void>
  /**
   * Deactivates a user and ends all sessions of the user. Activation does not restore the sessions.
   * @throws KeywardError `last_admin`
   */
  deactivate(user: User): Promise<void>
  /** Activates a user, who must log in again. */
  activate(user: User): Promise<void>
  /**
   * Deletes a user and all personal data. Audit events keep the user's id, which no other user ever gets. One transaction
   * deletes the user. Ended sessions before it and audit events after it are erased in short transactions, so that no
   * other write waits. After a crash the server's clean-up erases the remaining events.
   * @throws KeywardError `last_admin`
   */
  deleteUser(user: User): Promise<void>
}

export function createAdministration(needs: AdministrationNeeds): Administration {
  const { store: db, audit, users, passwords, roles, sessions, accounts } = needs
  return {
    async createUser(account) {
      const { id } = await accounts.register({ ...account, byAdmin: true })
      // The user is read again, because `register` grants the role after it has inserted the user.
      return (await users.find(id))!
    },

    async requireUser(typed) {
      const user = await users.findByName(typed)
      if (!user) throw new KeywardError('user_not_found')
      return user
    },

    async setPassword(user, password) {
      const weakness = passwords.weaknessOf(password, user)
      if (weakness) throw invalidField('password', weakness)
      const { id } = user
      const { hash, scheme } = await passwords.hash(password)
      await db.transaction(async () => {
        if (!(await users.setPassword({ id, hash, scheme }))) throw new KeywardError('user_not_found')
        await sessions.endAll({ userId: id, reason: 'password_set_by_admin' })
        await audit.record({ event: 'password.set_by_admin', userId: id })
      })
    },

    deactivate: ({ id }) =>
      db.transaction(async () => {
        const user = await roles.keepAnAdmin(id)
        if (!user?.isActive) return
        await users.setActive({ id, isActive: false })
        await sessions.endAll({ userId: id, reason: 'deactivated' })
        await audit.record({ event: 'user.deactivated', userId: id })
      }),

    activate: ({ id }) =>
      db.transaction(async () => {
        if (await users.setActive({ id, isActive: true })) await audit.record({ event: 'user.activated', userId: id })
      }),

    async deleteUser({ id }) {
      // Refused before anything is deleted. The transaction below decides.
      await db.transaction(() => roles.keepAnAdmin(id))
      await sessions.deleteOver(id)
      await db.transaction(async () => {
        if (!(await roles.keepAnAdmin(id))) return
        await users.remove(id)
        await audit.forgetUser(id)
        await audit.record({ event: 'user.deleted', userId: id })
      })
      await audit.eraseUser(id)
    },
  }
}
