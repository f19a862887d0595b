import { KeywardError } from '../../errors.ts'
import { accountWrite } from '../limits/limits.ts'
import type { Permission } from '../roles/roles.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'
import { findUser } from './lists.ts'

/** The administrator who makes a request, and where the request comes from. */
export interface Actor {
  caller: SessionCaller
  client: string
  ip: string
}

/** The administrator who made a change, for its audit event. */
export interface By {
  actorId: number
  ip: string
}

export const byOf = ({ caller, ip }: Actor): By => ({ actorId: caller.userId, ip })

interface Change {
  /** The permission that the route asks for. */
  permission: Permission
  /**
   * Decides whether there is something to change.
   * @returns a function that changes it, to be called in the transaction; undefined when there is nothing to change
   */
  plan: (user: User, actor: User) => Promise<(() => Promise<unknown>) | undefined>
}

/**
 * Changes a user for an administrator. The rights of both are checked twice: first so that a refused request, and a
 * request that changes nothing, writes nothing; then in the transaction of the change, where nobody can change the
 * rights of either.
 * @param id the id of the user, as in the path
 * @returns the user before the change
 * @throws KeywardError `reauthentication_required`; `user_not_found`; `forbidden` when the user has a permission that
 *   the administrator does not have, or the administrator has just lost the permission; `invalid_token` when all
 *   sessions of the administrator have just ended; `rate_limited`; the errors of `plan` and of its function
 */
export async function changeUser(
  needs: AdministrationNeeds,
  actor: Actor,
  id: string,
  { permission, plan }: Change,
): Promise<User> {
  const { store: db, accounts, limits } = needs
  const { caller, client, ip } = actor
  await accounts.requireFresh(caller, { client, ip })
  const found = await findUser(needs, id)
  if (!(await plan(found, await requireRank(needs, caller, { user: found, permission })))) return found
  await using place = await limits.reserve([accountWrite(caller.userId)], { userId: caller.userId, ip })
  const hasChanged = await db.transaction(
    async () => {
      const { user, actor: present } = await lockRights(needs, caller, { id: found.id, permission })
      const act = await plan(user, present)
      await act?.()
      return act !== undefined
    },
    { userId: caller.userId },
  )
  if (hasChanged) place.keep()
  return found
}

/** Implements `Administration.removeUser`. */
export async function removeUser(needs: AdministrationNeeds, actor: Actor, id: string): Promise<void> {
  const { accounts, limits } = needs
  const { caller, client, ip } = actor
  const permission = 'users:write'
  await accounts.requireFresh(caller, { client, ip })
  const user = await findUser(needs, id)
  await requireRank(needs, caller, { user, permission })
  await using place = await limits.reserve([accountWrite(caller.userId)], { userId: caller.userId, ip })
  const allow = () => lockRights(needs, caller, { id: user.id, permission })
  await accounts.deleteUser(user, { ...byOf(actor), allow })
  // A place of a deleted user would bring the id back.
  if (user.id !== caller.userId) place.keep()
}

/**
 * Locks the rights of all users until the transaction ends, and checks the rights of an administrator over a user.
 * @throws KeywardError `user_not_found`, and the errors of `requireRank`
 */
async function lockRights(
  needs: AdministrationNeeds,
  caller: SessionCaller,
  { id, permission }: { id: number; permission: Permission },
): Promise<{ user: User; actor: User }> {
  await needs.roles.lock()
  const user = await needs.users.find(id)
  if (!user) throw new KeywardError('user_not_found')
  return { user, actor: await requireRank(needs, caller, { user, permission }) }
}

/**
 * Checks the rights of an administrator over a user, with the present rights of both.
 * @returns the administrator
 * @throws KeywardError `invalid_token`, `forbidden`
 */
async function requireRank(
  { users, roles }: AdministrationNeeds,
  caller: SessionCaller,
  { user, permission }: { user: User; permission: Permission },
): Promise<User> {
  const actor = await requireActor({ users, roles }, caller, permission)
  if (!(await roles.outranks(actor, user))) throw new KeywardError('forbidden')
  return actor
}

/**
 * Checks a permission of an administrator, with the present rights.
 * @throws KeywardError `invalid_token`, `forbidden`
 */
export async function requireActor(
  { users, roles }: Pick<AdministrationNeeds, 'users' | 'roles'>,
  caller: SessionCaller,
  permission: Permission,
): Promise<User> {
  const actor = await users.find(caller.userId)
  if (!actor?.isActive || actor.sessionEpoch !== caller.user.sessionEpoch) throw new KeywardError('invalid_token')
  if (!(await roles.permissionsOf(actor)).has(permission)) throw new KeywardError('forbidden')
  return actor
}
