import { invalidField, KeywardError } from '../../errors.ts'
import { changedRole, isBuiltIn, isSameRole, type Role, type RoleText, readRole } from '../roles/roles.ts'
import { roleNames, type User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'
import { findRole } from './manage-roles.ts'

/**
 * What the operator of the installation does to roles, from the command line. The operator has every right; the last
 * administrator stays.
 */
export interface OperatorRoles {
  /** Creates a role, which nobody has yet. @throws KeywardError `validation_failed`, `role_taken` */
  addRole(role: RoleText & { name: string }): Promise<Role>
  /**
   * Changes the description and the permissions of a role. Nothing is written when nothing changes.
   * @throws KeywardError `role_not_found`, `role_built_in`, `validation_failed`
   */
  editRole(name: string, change: RoleText): Promise<Role>
  /**
   * Deletes a role, and withdraws it from every user.
   * @throws KeywardError `role_not_found`, `role_built_in`
   */
  dropRole(name: string): Promise<Role>
  /**
   * Grants a role to a user. @returns false when the user has the role already
   * @throws KeywardError `role_not_found`, `user_not_found` when the user was deleted
   */
  giveRole(user: User, role: string): Promise<boolean>
  /**
   * Withdraws a role from a user. @returns false when the user does not have the role
   * @throws KeywardError `role_not_found`; `validation_failed` for the role `user`, which every user has; `last_admin`
   */
  takeRole(user: User, role: string): Promise<boolean>
}

export function operatorRoles({ store: db, roles, users }: AdministrationNeeds): OperatorRoles {
  /** Runs a change while the roles of all users are locked. */
  const locked = <T>(change: () => Promise<T>): Promise<T> =>
    db.transaction(async () => {
      await roles.lock()
      return change()
    })
  const findOwn = async (name: string): Promise<Role> => {
    const role = await findRole({ roles }, name)
    if (isBuiltIn(name)) throw new KeywardError('role_built_in')
    return role
  }
  return {
    async addRole({ name, ...text }) {
      const role = readRole(name, text)
      await roles.create(role)
      return role
    },

    editRole: (name, change) =>
      locked(async () => {
        const from = await findOwn(name)
        const to = changedRole(from, change)
        if (!isSameRole(from, to)) await roles.update({ from, to })
        return to
      }),

    dropRole: (name) =>
      locked(async () => {
        const role = await findOwn(name)
        await roles.remove(role)
        return role
      }),

    giveRole: ({ id: userId }, role) =>
      locked(async () => {
        await findRole({ roles }, role)
        const user = await users.find(userId)
        if (!user) throw new KeywardError('user_not_found')
        if (roleNames(user).includes(role)) return false
        await roles.grant({ userId, role })
        return true
      }),

    takeRole: ({ id: userId }, role) =>
      locked(async () => {
        await findRole({ roles }, role)
        if (role === 'user') throw invalidField('role', 'Every user has this role')
        const user = await users.find(userId)
        if (!user || !roleNames(user).includes(role)) return false
        await roles.withdraw({ userId, role })
        return true
      }),
  }
}
