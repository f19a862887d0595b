import { invalidField, KeywardError } from '../../errors.ts'
import type { Factor, ResetFactors } from '../factors/factors.ts'
import type { User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, type By, byOf, changeUser } from './change-user.ts'
import { findUser } from './lists.ts'

const permission = 'users:write'

/**
 * What administrators do to the second factors of others. Nobody does it to their own account, because the routes for
 * their own factors ask for the factor.
 */
export interface FactorAdministration {
  /** The factors of a user, without secrets and keys. @throws KeywardError `user_not_found` */
  listFactors(id: string): Promise<Factor[]>
  /**
   * Mails a link to a user who has lost every factor. With the link and the password, the user removes them.
   * @throws KeywardError `mail_not_configured`, `user_inactive`, `invitation_pending`, `no_factor`, `own_account`, and the
   *   errors of `changeUser`
   */
  startFactorRecovery(actor: Actor, id: string): Promise<void>
  /**
   * Removes one factor of a user, or all of them, at once. With the last factor, the recovery codes go too. All sessions
   * of the user end, and the user gets a mail.
   * @param reset.reason for the audit log
   * @throws KeywardError `factor_not_found`, `no_factor`, `own_account`, `validation_failed`, and the errors of
   *   `changeUser`
   */
  removeFactors(actor: Actor, id: string, reset: { factorId?: string; reason: string }): Promise<void>
  /** Does what `removeFactors` does, for a command. @returns the ids of the removed factors */
  clearFactors(user: User, which: ResetFactors): Promise<string[]>
}

export const factorAdministration = (needs: AdministrationNeeds): FactorAdministration => ({
  listFactors: async (id) => needs.factors.list((await findUser(needs, id)).id),

  async startFactorRecovery(actor, id) {
    const { mails, audit, factors } = needs
    await changeUser(needs, actor, id, {
      permission,
      plan: async (user) => {
        refuseOwn(actor, user)
        if (!mails.isOn) throw new KeywardError('mail_not_configured')
        if (!user.isActive) throw new KeywardError('user_inactive')
        if (user.invitedAt !== null) throw new KeywardError('invitation_pending')
        if ((await factors.list(user.id)).length === 0) throw new KeywardError('no_factor')
        return async () => {
          await mails.notify('recover_factors', user.id, {})
          await audit.record({ event: 'factor_recovery.started', userId: user.id, ...byOf(actor) })
        }
      },
    })
  },

  async removeFactors(actor, id, { factorId, reason }) {
    if (!/^\P{Cc}{1,200}$/u.test(reason))
      throw invalidField('reason', 'The reason must have 1 to 200 characters and no control characters')
    await changeUser(needs, actor, id, {
      permission,
      plan: async (user) => {
        refuseOwn(actor, user)
        const all = await needs.factors.list(user.id)
        if (factorId !== undefined && !all.some((factor) => factor.id === factorId))
          throw new KeywardError('factor_not_found')
        if (all.length === 0) throw new KeywardError('no_factor')
        return async () => {
          const removed = await reset(needs, user, {
            which: factorId === undefined ? 'all' : { id: factorId },
            reason,
            by: byOf(actor),
          })
          if (removed.length === 0) throw new KeywardError(factorId === undefined ? 'no_factor' : 'factor_not_found')
        }
      },
    })
  },

  clearFactors: (user, which) => needs.store.transaction(() => reset(needs, user, { which })),
})

/** Removes factors and everything that depends on them, in the current transaction. @returns the ids of the factors */
async function reset(
  { users, factors, sessions, audit, mails }: AdministrationNeeds,
  user: User,
  { which, reason, by }: { which: ResetFactors; reason?: string; by?: By },
): Promise<string[]> {
  // The user's row is locked first, as in a login, which then uses up a code of the factor.
  await users.hold(user.id)
  const removed = await factors.reset(user, which)
  if (removed.length === 0) return removed
  await sessions.endAll({ userId: user.id, reason: 'factors_reset' })
  const details = { factors: removed.join(' '), ...(reason !== undefined && { reason }) }
  await audit.record({ event: 'factor.reset_by_admin', userId: user.id, ...by, details })
  await mails.notify('factors_reset', user.id, {})
  return removed
}

/** @throws KeywardError `own_account` */
function refuseOwn({ caller }: Actor, user: User): void {
  if (caller.userId === user.id) throw new KeywardError('own_account')
}
