import type { EpochMs } from '../../lib/clock.ts'
import type { User } from '../users/users.ts'
import { readFactorId } from './factor.ts'
import type { FactorsNeeds } from './factors.ts'
import * as own from './own.store.ts'
import { factorPolicy } from './policy.ts'
import * as codes from './recovery-codes.store.ts'
import * as store from './reset.store.ts'

/** All factors, those of a kind, or the one with this id. */
export type ResetFactors = 'all' | 'totp' | 'passkeys' | { id: string }

export interface FactorResets {
  /**
   * Removes factors of a user who has lost them, in the current transaction, usable or not. With the last usable factor,
   * the recovery codes go too, and codes are no longer locked. The user gets no new grace period for a required factor.
   * The caller ends the sessions, and tells the user.
   * @returns the ids of the removed factors
   */
  reset(user: Pick<User, 'id' | 'grantedRoles'>, which: ResetFactors): Promise<string[]>
  /**
   * Removes the factors and recovery codes that somebody else has set for an account, in the current transaction, in which
   * the user's row is locked. The caller ends the sessions.
   * @param of.since only those that were added then or later; undefined for all
   */
  removeOf(userId: number, of: { ip: string; since?: EpochMs }): Promise<void>
}

export const factorResets = (needs: FactorsNeeds): FactorResets => ({
  async reset(user, which) {
    const { store: db, clock, settings } = needs
    const userId = user.id
    const removed = await removeFactors(needs, userId, which)
    if (removed.length === 0) return removed
    const left = await own.listOf(db, { userId, rpId: settings.hasPasskeys ? settings.rpId : null })
    if (left.some(({ isUsable }) => isUsable)) return removed
    await codes.replaceAll(db, { userId, macs: [], now: clock.now() })
    await store.unlock(db, userId)
    await factorPolicy(needs).endGrace(user)
    return removed
  },
  async removeOf(userId, { ip, since = 0 }) {
    const { store: db, clock, audit, settings } = needs
    for (const factor of await store.removeAll(db, userId, 'all', since))
      await audit.record({ event: 'factor.removed', userId, ip, details: { factor } })
    await store.removeCodes(db, { userId, since })
    const left = await own.listOf(db, { userId, rpId: settings.hasPasskeys ? settings.rpId : null })
    if (left.some(({ isUsable }) => isUsable)) return
    await codes.replaceAll(db, { userId, macs: [], now: clock.now() })
    await store.unlock(db, userId)
  },
})

async function removeFactors({ store: db }: FactorsNeeds, userId: number, which: ResetFactors): Promise<string[]> {
  if (typeof which === 'string') return store.removeAll(db, userId, which)
  const key = readFactorId(which.id)
  return key && (await own.remove(db, { userId, ...key })) ? [which.id] : []
}
