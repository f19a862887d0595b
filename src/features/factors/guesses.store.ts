import { and, eq, gt, gte, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'

/* Wrong codes of authenticator apps in a row, and the lock after too many. */

/**
 * Counts a code as wrong, before it is checked.
 * @returns how many codes in a row were wrong if this one is; undefined, and counts nothing, when codes are locked or
 *   `most` were wrong
 */
export async function count(
  { q, t: { factorAccounts: a } }: Db,
  { userId, most }: { userId: number; most: number },
): Promise<number | undefined> {
  const rows = await q
    .insert(a)
    .values({ userId, failedInRow: 1 })
    .onConflictDoUpdate({
      target: a.userId,
      set: { failedInRow: sql`${a.failedInRow} + 1` },
      setWhere: and(isNull(a.lockedAt), lt(a.failedInRow, most)),
    })
    .returning({ failedInRow: a.failedInRow })
  return rows[0]?.failedInRow
}

/** Takes one count back, of an answer that was not checked. */
export const uncount = ({ q, t: { factorAccounts: a } }: Db, userId: number): Promise<unknown> =>
  q
    .update(a)
    .set({ failedInRow: sql`${a.failedInRow} - 1` })
    .where(and(eq(a.userId, userId), gt(a.failedInRow, 0)))

/** Forgets the wrong codes in a row. */
export const clear = ({ q, t: { factorAccounts: a } }: Db, userId: number): Promise<unknown> =>
  q
    .update(a)
    .set({ failedInRow: 0 })
    .where(and(eq(a.userId, userId), gt(a.failedInRow, 0)))

/** Locks codes after `from` wrong ones in a row. @returns false when they are locked, or fewer were wrong */
export async function lock(
  { q, t: { factorAccounts: a } }: Db,
  { userId, now, from }: { userId: number; now: EpochMs; from: number },
): Promise<boolean> {
  const locked = await q
    .update(a)
    .set({ lockedAt: now })
    .where(and(eq(a.userId, userId), isNull(a.lockedAt), gte(a.failedInRow, from)))
    .returning({ userId: a.userId })
  return locked.length > 0
}

/** @returns false when codes are not locked */
export async function unlock({ q, t: { factorAccounts: a } }: Db, userId: number): Promise<boolean> {
  const unlocked = await q
    .update(a)
    .set({ lockedAt: null })
    .where(and(eq(a.userId, userId), isNotNull(a.lockedAt)))
    .returning({ userId: a.userId })
  return unlocked.length > 0
}
