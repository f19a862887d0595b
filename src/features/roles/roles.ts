import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import { roleNames, type User, type Users } from '../users/users.ts'
import { ADMIN, isPermission, type Permission, permissions } from './permissions.ts'
import * as store from './store.ts'

export { ADMIN, isPermission, type Permission, permissions } from './permissions.ts'

interface RolesNeeds {
  store: Store
  clock: Clock
  audit: Audit
  users: Users
}

export interface Roles {
  /** The roles that were granted to a user, for an export. */
  exportOf(userId: number): Promise<object[]>
  /** Returns the permissions of all roles of the user, including the role `user`, which every user has. */
  permissionsOf(user: Pick<User, 'id' | 'grantedRoles'>): Promise<ReadonlySet<Permission>>
  /**
   * Grants a role and records the audit event `role.granted`. Does nothing when the user already has the role.
   * @param grant.actorId the user who grants the role, if another user than `userId`
   * @throws the database's error for a violated foreign key when the user or the role does not exist
   */
  grant(grant: { userId: number; role: string; actorId?: number }): Promise<void>
  /**
   * Refuses to deactivate or delete the last active administrator. Call `keepAnAdmin` first in the transaction of the
   * change. It locks the role `admin`, so a concurrent call waits until the transaction of the first call has ended.
   * @param userId the user who will be deactivated or deleted
   * @returns the user, read under the lock; undefined when the user does not exist
   * @throws KeywardError `last_admin` when the user is the only active user with the role `admin`
   */
  keepAnAdmin(userId: number): Promise<User | undefined>
}

export const createRoles = ({ store: db, clock, audit, users }: RolesNeeds): Roles => ({
  exportOf: (userId) => store.grantsOf(db, userId),
  async permissionsOf(user) {
    if (roleNames(user).includes(ADMIN)) return new Set(permissions)
    const held = await store.permissionsOfUser(db, user.id)
    return new Set(held.flatMap((words) => words.split(' ')).filter(isPermission))
  },
  grant: ({ userId, role, actorId }) =>
    db.transaction(async () => {
      if (await store.give(db, { userId, role, grantedAt: clock.now() }))
        await audit.record({ event: 'role.granted', userId, actorId, details: { role } })
    }),
  async keepAnAdmin(userId) {
    await store.lockRole(db, ADMIN)
    // The user is read after the lock, because another transaction may change the user while this transaction waits.
    const user = await users.find(userId)
    if (!user?.isActive || !roleNames(user).includes(ADMIN)) return user
    if ((await store.countOtherHolders(db, { role: ADMIN, userId })) === 0) throw new KeywardError('last_admin')
    return user
  },
})
