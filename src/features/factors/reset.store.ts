import { and, eq, gte } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import { factorId } from './factor.ts'

/**
 * Deletes the factors of a user of a kind, also those that no code has confirmed.
 * @param since only those that were added then or later
 * @returns the ids of those that counted
 */
export async function removeAll(
  { q, t: { totpFactors, passkeys } }: Db,
  userId: number,
  which: 'all' | 'totp' | 'passkeys',
  since: EpochMs = 0,
): Promise<string[]> {
  const removed: string[] = []
  if (which !== 'passkeys') {
    const own = and(eq(totpFactors.userId, userId), gte(totpFactors.createdAt, since))
    const columns = { id: totpFactors.id, confirmedAt: totpFactors.confirmedAt }
    for (const { id, confirmedAt } of await q.delete(totpFactors).where(own).returning(columns))
      if (confirmedAt !== null) removed.push(factorId({ table: 'totp', id }))
  }
  if (which !== 'totp') {
    const own = and(eq(passkeys.userId, userId), gte(passkeys.createdAt, since))
    for (const { id } of await q.delete(passkeys).where(own).returning({ id: passkeys.id }))
      removed.push(factorId({ table: 'passkey', id }))
  }
  return removed
}

/** Deletes the recovery codes of a user that were made at `since` or later. */
export const removeCodes = (
  { q, t: { recoveryCodes: c } }: Db,
  { userId, since }: { userId: number; since: EpochMs },
): Promise<unknown> => q.delete(c).where(and(eq(c.userId, userId), gte(c.createdAt, since)))

/** Accepts codes of authenticator apps again. */
export const unlock = ({ q, t: { factorAccounts } }: Db, userId: number): Promise<unknown> =>
  q.update(factorAccounts).set({ failedInRow: 0, lockedAt: null }).where(eq(factorAccounts.userId, userId))
