import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import { roleNames, type User, type Users } from '../users/users.ts'
import { ADMIN, isPermission, type Permission, permissions } from './permissions.ts'
import { inOrder, isRoleName, type Role } from './role.ts'
import * as store from './store.ts'

export { ADMIN, isPermission, type Permission, permissions } from './permissions.ts'
export { builtInRoles, changedRole, isBuiltIn, isSameRole, type Role, type RoleText, readRole } from './role.ts'

interface RolesNeeds {
  store: Store
  clock: Clock
  audit: Audit
  users: Users
  /** True when the role `admin` counts only in sessions with a second factor (`REQUIRE_SECOND_FACTOR`). */
  adminRequiresSecondFactor: boolean
}

type Holder = Pick<User, 'id' | 'grantedRoles'>

/** The administrator who changes a role, and the address of the request; not given for the command line. */
interface By {
  actorId: number
  ip: string
}

interface RoleChange extends Partial<By> {
  userId: number
  role: string
}

export interface Roles {
  /** Up to `limit` roles with a name after `after`, by name. */
  list(page: { after: string; limit: number }): Promise<Role[]>
  find(name: string): Promise<Role | undefined>
  /** The names of all roles. */
  names(): Promise<readonly string[]>
  /**
   * Adds a role and records the audit event `role.created`. Of concurrent calls with the same name, one succeeds.
   * @throws KeywardError `role_taken`
   */
  create(role: Role, by?: By): Promise<void>
  /**
   * Stores the values of a role, and records the audit event `role.updated` with the permissions before and after, and
   * with `requires_second_factor` if that changes. Call this function after `lock`, with the role as it was read after `lock`.
   */
  update(change: { from: Role; to: Role }, by?: By): Promise<void>
  /**
   * Deletes a role, which withdraws it from every user, and records the audit event `role.deleted` with the permissions
   * of the role. Call this function after `lock`.
   */
  remove(role: Role, by?: By): Promise<void>
  /** The roles that were granted to a user, for an export. */
  exportOf(userId: number): Promise<object[]>
  /**
   * Returns the permissions of the roles in `grantedRoles` that the user still has, and of the role `user`, which every
   * user has.
   */
  permissionsOf(user: Pick<User, 'id' | 'grantedRoles'>): Promise<ReadonlySet<Permission>>
  /**
   * Grants a role and records the audit event `role.granted`. Does nothing when the user already has the role.
   * @param grant.actorId the user who grants the role, if another user than `userId`. The event then also has the roles
   *   before and after
   * @throws the database's error for a violated foreign key when the user or the role does not exist
   */
  grant(grant: RoleChange): Promise<void>
  /**
   * Grants roles to the users with these addresses, which are keys as `users.email_key` has them, and records the audit
   * event `role.granted` for each. Passes over a user or a role that does not exist, and a role that a user has already.
   * Call it in the transaction that adds the users.
   * @returns the number of granted roles
   */
  grantMany(grants: readonly store.AddressedGrant[]): Promise<number>
  /**
   * Withdraws a role and records the audit event `role.withdrawn`. Does nothing when the user does not have the role.
   * @throws KeywardError `last_admin` for the role `admin` of the only active user who has it
   */
  withdraw(grant: RoleChange): Promise<void>
  /**
   * Locks the roles of all users until the transaction ends, for a change that depends on them: `grant` and `withdraw`
   * of other transactions wait.
   */
  lock(): Promise<void>
  /** True when an active user has the role `admin`. Users who have not accepted their invitation do not count. */
  hasAdmin(): Promise<boolean>
  /** True when the actor has every permission of the user. Only an administrator outranks an administrator. */
  outranks(actor: Holder, user: Holder): Promise<boolean>
  /** True when the actor outranks every user who has the role. */
  outranksHolders(actor: Holder, role: string): Promise<boolean>
  /**
   * True when the actor has every permission of a role. Only an administrator may grant the role `admin`, because it
   * also has the permissions of later versions.
   * @returns undefined when there is no such role
   */
  mayGrant(actor: Holder, role: string): Promise<boolean | undefined>
  /**
   * Refuses to deactivate or delete the last active administrator. Call `keepAnAdmin` first in the transaction of the
   * change. It locks the role `admin`, so a concurrent call waits until the transaction of the first call has ended.
   * @param userId the user who will be deactivated or deleted
   * @returns the user, read under the lock; undefined when the user does not exist
   * @throws KeywardError `last_admin` when the user is the only active user with the role `admin`. Users who have not
   *   accepted their invitation do not count
   */
  keepAnAdmin(userId: number): Promise<User | undefined>
}

/** As `Roles.hasAdmin`. Writes nothing. */
export const hasAdmin = async ({ store: db }: Pick<RolesNeeds, 'store'>): Promise<boolean> =>
  (await store.countOtherHolders(db, { role: ADMIN, userId: 0 })) > 0

export function createRoles({ store: db, clock, audit, users, adminRequiresSecondFactor }: RolesNeeds): Roles {
  const lock = async () => void (await store.lockRole(db, ADMIN))
  const permissionsOf = async (user: Holder): Promise<ReadonlySet<Permission>> => {
    const names = roleNames(user)
    if (names.includes(ADMIN)) return new Set(permissions)
    const held = (await store.permissionsOfUser(db, user.id)).filter(({ role }) => names.includes(role))
    return known(held.map(({ permissions: words }) => words))
  }
  const keepAnAdmin = async (userId: number): Promise<User | undefined> => {
    await lock()
    // The user is read after the lock, because another transaction may change the user while this transaction waits.
    const user = await users.find(userId)
    if (!user?.isActive || user.invitedAt !== null || !roleNames(user).includes(ADMIN)) return user
    if ((await store.countOtherHolders(db, { role: ADMIN, userId })) === 0) throw new KeywardError('last_admin')
    return user
  }
  /** Writes a change of roles. The event of a change by an administrator has the roles before and after. */
  const change = (event: 'role.granted' | 'role.withdrawn', grant: RoleChange, write: () => Promise<boolean>) =>
    db.transaction(async () => {
      const { userId, role, actorId, ip } = grant
      await lock()
      const namesNow = async () => {
        const user = actorId === undefined ? undefined : await users.find(userId)
        return user && roleNames(user).join(' ')
      }
      const before = await namesNow()
      if (!(await write())) return
      const after = await namesNow()
      const details = { role, ...(before !== undefined && after !== undefined && { before, after }) }
      await audit.record({ event, userId, actorId, ip, details })
    })
  const toRole = ({ name, description, permissions: words, requiresSecondFactor }: store.StoredRole): Role => ({
    name,
    description,
    permissions: name === ADMIN ? permissions : inOrder(words.split(' ')),
    requiresSecondFactor: name === ADMIN ? adminRequiresSecondFactor : requiresSecondFactor,
  })
  const details = ({ name, permissions: words, requiresSecondFactor }: Role) => ({
    role: name,
    permissions: words.join(' '),
    ...(requiresSecondFactor && { requires_second_factor: true }),
  })
  return {
    list: async (page) => (await store.list(db, page)).map(toRole),
    async find(name) {
      const found = isRoleName(name) ? await store.find(db, name) : undefined
      return found && toRole(found)
    },
    names: async () => (await store.all(db)).map(({ name }) => name),
    create: (role, by) =>
      db.transaction(async () => {
        if (!(await store.insert(db, { ...toStored(role), createdAt: clock.now() })))
          throw new KeywardError('role_taken')
        await audit.record({ event: 'role.created', ...by, details: details(role) })
      }),
    update: ({ from, to }, by) =>
      db.transaction(async () => {
        await store.update(db, toStored(to))
        const [before, after] = [from, to].map((role) => role.permissions.join(' ')) as [string, string]
        const { requiresSecondFactor: requires } = to
        const policy = requires !== from.requiresSecondFactor && { requires_second_factor: requires }
        await audit.record({ event: 'role.updated', ...by, details: { role: to.name, before, after, ...policy } })
      }),
    remove: (role, by) =>
      db.transaction(async () => {
        const holders = await store.countHolders(db, role.name)
        await store.remove(db, role.name)
        await audit.record({ event: 'role.deleted', ...by, details: { ...details(role), holders } })
      }),
    exportOf: (userId) => store.grantsOf(db, userId),
    permissionsOf,
    keepAnAdmin,
    hasAdmin: () => hasAdmin({ store: db }),
    lock,
    grant: (grant) =>
      change('role.granted', grant, () =>
        store.give(db, { userId: grant.userId, role: grant.role, grantedAt: clock.now() }),
      ),
    async grantMany(grants) {
      if (grants.length === 0) return 0
      // No role is deleted until the transaction ends.
      await lock()
      let sum = 0
      for (let at = 0; at < grants.length; at += store.GRANTS) {
        const some = grants.slice(at, at + store.GRANTS)
        const granted = await store.giveMany(db, some, clock.now())
        for (const { userId, role } of granted)
          await audit.record({ event: 'role.granted', userId, details: { role, import: true } })
        sum += granted.length
      }
      return sum
    },
    withdraw: (grant) =>
      change('role.withdrawn', grant, async () => {
        if (grant.role === ADMIN) await keepAnAdmin(grant.userId)
        return store.take(db, grant)
      }),
    async outranks(actor, user) {
      if (roleNames(actor).includes(ADMIN)) return true
      if (roleNames(user).includes(ADMIN)) return false
      return (await permissionsOf(user)).isSubsetOf(await permissionsOf(actor))
    },
    async outranksHolders(actor, role) {
      if (roleNames(actor).includes(ADMIN)) return true
      const held = await permissionsOf(actor)
      const isBeyond = ({ name, permissions: words }: store.StoredRole) =>
        name === ADMIN || !known([words]).isSubsetOf(held)
      const beyond = (await store.all(db)).filter(isBeyond).map(({ name }) => name)
      return beyond.length === 0 || !(await store.haveCommonHolder(db, role, beyond))
    },
    async mayGrant(actor, role) {
      const words = isRoleName(role) ? await store.permissionsOfRole(db, role) : undefined
      if (words === undefined) return undefined
      if (roleNames(actor).includes(ADMIN)) return true
      return role !== ADMIN && known([words]).isSubsetOf(await permissionsOf(actor))
    },
  }
}

const toStored = ({ permissions: words, ...role }: Role): store.StoredRole => ({
  ...role,
  permissions: words.join(' '),
})

/** The permissions of this version in the permissions of roles, which may be those of a later version. */
const known = (ofRoles: readonly string[]): ReadonlySet<Permission> =>
  new Set(ofRoles.flatMap((words) => words.split(' ')).filter(isPermission))
