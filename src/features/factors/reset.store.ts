import { eq } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'
import { factorId } from './factor.ts'

/**
 * Deletes the factors of a user of a kind, also those that no code has confirmed.
 * @returns the ids of those that counted
 */
export async function removeAll(
  { q, t: { totpFactors, passkeys } }: Db,
  userId: number,
  which: 'all' | 'totp' | 'passkeys',
): Promise<string[]> {
  const removed: string[] = []
  if (which !== 'passkeys') {
    const own = eq(totpFactors.userId, userId)
    const columns = { id: totpFactors.id, confirmedAt: totpFactors.confirmedAt }
    for (const { id, confirmedAt } of await q.delete(totpFactors).where(own).returning(columns))
      if (confirmedAt !== null) removed.push(factorId({ table: 'totp', id }))
  }
  if (which !== 'totp') {
    const own = eq(passkeys.userId, userId)
    for (const { id } of await q.delete(passkeys).where(own).returning({ id: passkeys.id }))
      removed.push(factorId({ table: 'passkey', id }))
  }
  return removed
}

/** Accepts codes of authenticator apps again. */
export const unlock = ({ q, t: { factorAccounts } }: Db, userId: number): Promise<unknown> =>
  q.update(factorAccounts).set({ failedInRow: 0, lockedAt: null }).where(eq(factorAccounts.userId, userId))
