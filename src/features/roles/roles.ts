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

/** Roles are named sets of permissions; users hold roles. */
export interface Roles {
  /** The permissions of all roles that the user has now. */
  permissionsOf(user: Pick<User, 'id' | 'grantedRoles'>): Promise<ReadonlySet<Permission>>
  /** Grants a role. Does nothing when the user already has the role. */
  grant(grant: { userId: number; role: string; actorId?: number }): Promise<void>
  /**
   * Refuses a change that would leave no active administrator. Call it first in the transaction of the change. It locks
   * the role `admin`: a concurrent change waits until the first change is committed or rolled back.
   * @returns the user, read after the lock was taken; undefined when the user was deleted
   * @throws KeywardError `last_admin`
   */
  keepAnAdmin(userId: number): Promise<User | undefined>
}

export const createRoles = ({ store: db, clock, audit, users }: RolesNeeds): Roles => ({
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
    // The user is read after the lock was taken, because another transaction may have changed the user during the wait.
    const user = await users.find(userId)
    if (!user?.isActive || !roleNames(user).includes(ADMIN)) return user
    if ((await store.countOtherHolders(db, { role: ADMIN, userId })) === 0) throw new KeywardError('last_admin')
    return user
  },
})
