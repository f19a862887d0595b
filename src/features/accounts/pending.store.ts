import { and, desc, eq, gt, inArray, lte } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { PendingRegistration } from './pending.ts'

export async function insert({ q, t: { pendingRegistrations } }: Db, pending: PendingRegistration): Promise<void> {
  await q.insert(pendingRegistrations).values(pending)
}

export async function find(
  { q, t: { pendingRegistrations } }: Db,
  { id, now }: { id: string; now: EpochMs },
): Promise<PendingRegistration | undefined> {
  const rows = await q
    .select()
    .from(pendingRegistrations)
    .where(and(eq(pendingRegistrations.id, id), gt(pendingRegistrations.expiresAt, now)))
  return rows[0] as PendingRegistration | undefined
}

/** Finds the newest registration with this address that has not expired. */
export async function findLast(
  { q, t: { pendingRegistrations } }: Db,
  { emailKey, now }: { emailKey: string; now: EpochMs },
): Promise<PendingRegistration | undefined> {
  const rows = await q
    .select()
    .from(pendingRegistrations)
    .where(and(eq(pendingRegistrations.emailKey, emailKey), gt(pendingRegistrations.expiresAt, now)))
    .orderBy(desc(pendingRegistrations.createdAt), desc(pendingRegistrations.id))
    .limit(1)
  return rows[0] as PendingRegistration | undefined
}

/** Deletes a registration. @returns false when it was deleted before */
export async function remove({ q, t: { pendingRegistrations } }: Db, id: string): Promise<boolean> {
  const deleted = await q
    .delete(pendingRegistrations)
    .where(eq(pendingRegistrations.id, id))
    .returning({ id: pendingRegistrations.id })
  return deleted.length > 0
}

export async function removeAll({ q, t: { pendingRegistrations } }: Db, emailKey: string): Promise<void> {
  await q.delete(pendingRegistrations).where(eq(pendingRegistrations.emailKey, emailKey))
}

export async function deleteExpired(
  { q, t: { pendingRegistrations } }: Db,
  { now, limit }: { now: EpochMs; limit: number },
): Promise<number> {
  const expired = q
    .select({ id: pendingRegistrations.id })
    .from(pendingRegistrations)
    .where(lte(pendingRegistrations.expiresAt, now))
    .limit(limit)
  const deleted = await q
    .delete(pendingRegistrations)
    .where(inArray(pendingRegistrations.id, expired))
    .returning({ id: pendingRegistrations.id })
  return deleted.length
}
