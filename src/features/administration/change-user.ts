import { KeywardError } from '../../errors.ts'
import { factorMissing } from '../factors/factors.ts'
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

/**
 * Decides whether there is something to change.
 * @param actor the administrator, as stored now
 * @returns a function that changes it, to be called in the transaction; undefined when there is nothing to change
 * @throws the refusals of the change
 */
export type Plan<Made> = (actor: User) => Promise<(() => Promise<Made>) | undefined>

interface Change {
  /** The permission that the route asks for. */
  permission: Permission
  /** See `Plan`. */
  plan: (user: User, actor: User) => ReturnType<Plan<unknown>>
}

/**
 * Makes a change for an administrator. `prepare` runs before the transaction, when the change is allowed: for work that
 * waits for more than statements, or that needs transactions of its own. `plan` runs twice: first so that a refused request, and a request that changes
 * nothing, writes nothing; then in the transaction of the change, where nobody can change the rights of any user.
 * @param permission the permission that the route asks for
 * @returns the result of the function of `plan`; undefined when there was nothing to change
 * @throws KeywardError `reauthentication_required`; `forbidden` when the administrator has just lost the permission;
 *   `invalid_token` when all sessions of the administrator have just ended; `rate_limited`; the errors of `plan` and of
 *   its function
 */
export async function makeChange<Made>(
  needs: AdministrationNeeds,
  { caller, client, ip }: Actor,
  { permission, prepare, plan }: { permission: Permission; prepare?: () => Promise<unknown>; plan: Plan<Made> },
): Promise<Made | undefined> {
  const { store: db, accounts, limits, roles } = needs
  await accounts.requireFresh(caller, { client, ip })
  if (!(await plan(await requireRight(needs, caller, permission)))) return undefined
  await using place = await limits.reserve([accountWrite(caller.userId)], { userId: caller.userId, ip })
  await prepare?.()
  const done = await db.transaction(
    async () => {
      await roles.lock()
      const act = await plan(await requireRight(needs, caller, permission))
      return act && { made: await act() }
    },
    { userId: caller.userId },
  )
  if (done) place.keep()
  return done?.made
}

/**
 * Changes a user for an administrator, as `makeChange` does.
 * @param id the id of the user, as in the path
 * @returns the user before the change
 * @throws KeywardError `user_not_found`; `forbidden` when the user has a permission that the administrator does not
 *   have; the errors of `makeChange`
 */
export async function changeUser(
  needs: AdministrationNeeds,
  actor: Actor,
  id: string,
  { permission, plan }: Change,
): Promise<User> {
  let before: User | undefined
  await makeChange(needs, actor, {
    permission,
    plan: async (present) => {
      const user = await findUser(needs, id)
      await requireRank(needs, present, user)
      before ??= user
      return plan(user, present)
    },
  })
  return before!
}

/** Implements `Administration.removeUser`. */
export async function removeUser(needs: AdministrationNeeds, actor: Actor, id: string): Promise<void> {
  const { accounts, limits } = needs
  const { caller, client, ip } = actor
  const permission = 'users:write'
  await accounts.requireFresh(caller, { client, ip })
  const user = await findUser(needs, id)
  await requireRank(needs, await requireRight(needs, caller, permission), user)
  await using place = await limits.reserve([accountWrite(caller.userId)], { userId: caller.userId, ip })
  const allow = async () => {
    await needs.roles.lock()
    const present = await needs.users.find(user.id)
    if (!present) throw new KeywardError('user_not_found')
    await requireRank(needs, await requireRight(needs, caller, permission), present)
  }
  await accounts.deleteUser(user, { ...byOf(actor), allow })
  // A place of a deleted user would bring the id back.
  if (user.id !== caller.userId) place.keep()
}

/**
 * Checks the present rights of an administrator.
 * @returns the administrator, with the roles that count at the level of the session
 * @throws KeywardError `invalid_token`, `forbidden`; `reauthentication_required` for a right that needs a second factor
 */
export async function requireRight(
  { users, roles, factors }: AdministrationNeeds,
  caller: SessionCaller,
  permission: Permission,
): Promise<User> {
  const actor = await users.find(caller.userId)
  if (!actor?.isActive || actor.sessionEpoch !== caller.user.sessionEpoch) throw new KeywardError('invalid_token')
  const counted = await factors.atLevel(actor, caller.acr)
  if ((await roles.permissionsOf(counted)).has(permission)) return counted
  throw (await roles.permissionsOf(actor)).has(permission) ? factorMissing() : new KeywardError('forbidden')
}

/** @throws KeywardError `forbidden` when the user has a permission that the administrator does not have */
export async function requireRank({ roles }: AdministrationNeeds, actor: User, user: User): Promise<void> {
  if (!(await roles.outranks(actor, user))) throw new KeywardError('forbidden')
}
