import { KeywardError } from '../../errors.ts'
import { errorFields } from '../../lib/log.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import { nameKeysOf, type User } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'
import { type FreshProof, requireFresh } from './fresh.ts'

export async function deleteOwn(needs: AccountsNeeds, caller: SessionCaller, proof: FreshProof): Promise<void> {
  await requireFresh(needs, caller, proof)
  await deleteUser(needs, caller.user, { owner: caller })
}

/** The administrator who deletes a user with a request. */
export interface DeletedBy {
  actorId: number
  ip: string
  /** Runs in the transaction of the deletion, and throws when the administrator may not delete the user. */
  allow: () => Promise<unknown>
}

/**
 * Deletes a user. A concurrent login or refresh either finishes first, and the deletion removes its rows, or it finds
 * no user.
 * @param owner the caller, when users delete their own account; otherwise undefined
 * @param by the administrator of the request; undefined for an owner and for a command
 * @throws KeywardError `last_admin`; the error of `by.allow`; `invalid_token` when all sessions of the `owner` have just ended
 */
export async function deleteUser(
  needs: AccountsNeeds,
  user: User,
  { owner, by }: { owner?: SessionCaller; by?: DeletedBy } = {},
): Promise<void> {
  const { store: db, log, audit, users, roles, sessions, limits, mails, pending } = needs
  const { id } = user
  // The last administrator is refused before any session is deleted. The check in the second transaction decides.
  await db.transaction(() => roles.keepAnAdmin(id))
  await sessions.deleteOver(id)
  await db.transaction(async () => {
    await by?.allow()
    if (!(await roles.keepAnAdmin(id)) && !owner) return
    // Somebody else may have ended the caller's sessions since the credential was checked, for example with a new
    // password. Then the caller may be a thief.
    if (owner && !(await users.holdForSession({ id, epoch: owner.user.sessionEpoch })))
      throw new KeywardError('invalid_token')
    // The rows go with the user. Before that, their clients are told of the end.
    await sessions.endAll({ userId: id, reason: 'user_deleted' })
    await users.remove(id)
    await audit.forgetUser(id)
    await mails.forgetUser(user)
    await pending.removeAll(nameKeysOf(user).emailKey)
    const details = owner && { by: 'owner' }
    await audit.record({ event: 'user.deleted', userId: id, actorId: by?.actorId, ip: by?.ip, details })
  })
  // Outside the transaction, because `limits.clearUser` reads its whole table, and a user can have millions of events.
  // After a failure, the clean-up job deletes and erases the rest later. A request gets no error, because the account is deleted
  // and the request cannot be repeated.
  try {
    await limits.clearUser(id, Object.values(nameKeysOf(user)))
    await audit.eraseUser(id)
  } catch (error) {
    if (!owner && !by) throw error
    log.warn('deletion_not_finished', { user_id: id, ...errorFields(error) })
  }
}
