import { KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import { findUser } from '../users/find.ts'
import { roleNames, type User } from '../users/user.ts'
import { ADMIN } from './permissions.ts'
import * as store from './store.ts'

/** Gives a user a role; nothing happens when they have it. */
export async function giveRole(
  deps: Pick<Deps, 'store' | 'clock'>,
  { userId, role, actorId }: { userId: number; role: string; actorId?: number },
): Promise<void> {
  await deps.store.transaction(async () => {
    if (await store.give(deps.store, { userId, role, grantedAt: deps.clock.now() }))
      await record(deps, { event: 'role.granted', userId, actorId, details: { role } })
  })
}

/**
 * Refuses what would leave no active administrator. Call it in the transaction of the change, before the change: of two
 * at once the second one waits for the first and then sees what it did, which is why the account is read here, and
 * after the wait.
 * @returns the account as it is, undefined when it is gone
 * @throws KeywardError `last_admin`
 */
export async function keepAnAdmin(deps: Pick<Deps, 'store'>, userId: number): Promise<User | undefined> {
  await store.lockRole(deps.store, ADMIN)
  const user = await findUser(deps, userId)
  if (!user?.isActive || !roleNames(user).includes(ADMIN)) return user
  if ((await store.countOtherHolders(deps.store, { role: ADMIN, userId: user.id })) === 0)
    throw new KeywardError('last_admin')
  return user
}
