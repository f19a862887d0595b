import type { User } from '../users/users.ts'
import { beginTotp, confirmTotp, PENDING_TOTP, type PendingTotp } from './add-totp.ts'
import { type FactorChanger, listOf, remove, rename, renewRecoveryCodes } from './change.ts'
import type { Factor } from './factor.ts'
import type { FactorsNeeds } from './factors.ts'
import { exportOf } from './own.store.ts'
import { countUnused } from './recovery-codes.store.ts'
import { removeOldPending } from './totp.store.ts'
import { renewTotpSeals } from './use-totp.ts'

/**
 * The factors of a user, and their changes. The changes, except `beginTotp`, are called in a transaction in which the row
 * of the user is locked.
 */
export interface FactorChanges {
  /** The confirmed factors of a user, the oldest first. */
  list(userId: number): Promise<Factor[]>
  /** How many recovery codes are unused, and when they were made; null when there is none. */
  recoveryCodes(userId: number): Promise<{ remaining: number; createdAt: number | null }>
  /**
   * Begins to add an authenticator app, in a transaction of its own. It counts for nothing until `confirmTotp`, and waits
   * ten minutes. An earlier one that still waits is dropped.
   * @throws KeywardError `too_many_factors`; `invalid_token` when the user was deleted meanwhile
   */
  beginTotp(of: { user: User; by: FactorChanger; name: string }): Promise<PendingTotp>
  /**
   * Confirms an authenticator app with its first code, whose step is then used. The owner gets a mail.
   * @returns with the first factor of the user also ten recovery codes, which nothing shows again
   * @throws KeywardError `factor_not_found`, `invalid_code`, `too_many_factors`
   */
  confirmTotp(of: {
    by: FactorChanger
    id: string
    code: string
  }): Promise<{ factor: Factor; recoveryCodes: string[] | undefined }>
  /** @throws KeywardError `factor_not_found` */
  rename(of: { by: FactorChanger; id: string; name: string }): Promise<void>
  /**
   * Removes a factor, and with the last usable one the recovery codes. The owner gets a mail.
   * @returns the factor, and those that are left
   * @throws KeywardError `factor_not_found`
   */
  remove(of: { by: FactorChanger; id: string }): Promise<{ removed: Factor; left: readonly Factor[] }>
  /**
   * Makes ten recovery codes and voids all earlier ones. The owner gets a mail.
   * @throws KeywardError `no_factor`
   */
  renewRecoveryCodes(of: { by: FactorChanger }): Promise<string[]>
  /** All that is stored about the factors of a user, for an export: lists of rows, by name, without secrets and keys. */
  exportOf(userId: number): Promise<Record<string, object[]>>
  /** Replaces the seals of secrets after a change of SECRET_KEY. One server calls it every minute. */
  maintain(): Promise<void>
  /** Deletes up to `limit` authenticator apps that were not confirmed in time. @returns how many */
  cleanUpPending(limit: number): Promise<number>
}

export const factorChanges = (needs: FactorsNeeds): FactorChanges => ({
  list: (userId) => listOf(needs, userId),
  recoveryCodes: (userId) => countUnused(needs.store, userId),
  beginTotp: (of) => beginTotp(needs, of),
  confirmTotp: (of) => confirmTotp(needs, of),
  rename: (of) => rename(needs, of),
  remove: (of) => remove(needs, of),
  renewRecoveryCodes: (of) => renewRecoveryCodes(needs, of),
  exportOf: (userId) => exportOf(needs.store, userId),
  maintain: () => renewTotpSeals(needs),
  cleanUpPending: (limit) => removeOldPending(needs.store, { before: needs.clock.now() - PENDING_TOTP, limit }),
})
