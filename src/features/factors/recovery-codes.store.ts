import { and, count, eq, inArray, isNull, min } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'

/** Replaces all recovery codes of a user. Without `macs`, the user has none afterwards. */
export async function replaceAll(
  { q, t: { recoveryCodes } }: Db,
  { userId, macs, now }: { userId: number; macs: readonly string[]; now: EpochMs },
): Promise<void> {
  await q.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId))
  if (macs.length > 0) await q.insert(recoveryCodes).values(macs.map((mac) => ({ userId, mac, createdAt: now })))
}

/** Uses a code. @param macs its MACs under all data keys @returns false when the user has no such unused code */
export async function use(
  { q, t: { recoveryCodes } }: Db,
  { userId, macs, now }: { userId: number; macs: readonly string[]; now: EpochMs },
): Promise<boolean> {
  const used = await q
    .update(recoveryCodes)
    .set({ usedAt: now })
    .where(and(eq(recoveryCodes.userId, userId), inArray(recoveryCodes.mac, [...macs]), isNull(recoveryCodes.usedAt)))
    .returning({ id: recoveryCodes.id })
  return used.length > 0
}

/** How many codes of a user are unused, and when they were made; null when there is none. */
export async function countUnused(
  { q, t: { recoveryCodes } }: Db,
  userId: number,
): Promise<{ remaining: number; createdAt: EpochMs | null }> {
  const [row] = await q
    .select({ remaining: count(), createdAt: min(recoveryCodes.createdAt) })
    .from(recoveryCodes)
    .where(and(eq(recoveryCodes.userId, userId), isNull(recoveryCodes.usedAt)))
  const createdAt = row?.createdAt ?? null
  return { remaining: Number(row?.remaining ?? 0), createdAt: createdAt === null ? null : Number(createdAt) }
}
