import { and, eq, gt, gte, inArray, lte, ne } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { BulkKeys } from './user.ts'

/**
 * Locks a user's row until the transaction ends.
 * @returns the address and the session epoch of the user; undefined when there is no such user
 */
export async function lock({ q, t: { users } }: Db, { id, now }: { id: number; now: EpochMs }) {
  const [row] = await q
    .update(users)
    .set({ updatedAt: now })
    .where(eq(users.id, id))
    .returning({ email: users.email, emailKey: users.emailKey, sessionEpoch: users.sessionEpoch })
  return row
}

/**
 * Stores a proved address.
 * @throws a unique violation of `users.email_key` when another user has the address
 */
export async function setEmail(
  { q, t: { users } }: Db,
  { id, email, emailKey, now }: { id: number; email: string; emailKey: string; now: EpochMs },
): Promise<void> {
  await q.update(users).set({ email, emailKey, emailVerifiedAt: now, updatedAt: now }).where(eq(users.id, id))
}

/** Reserves an address for a user. A former reservation of the same address ends. */
export async function reserve(
  { q, t: { reservedAddresses } }: Db,
  row: { emailKey: string; email: string; userId: number; epoch: number; reservedUntil: EpochMs },
): Promise<void> {
  const { emailKey: _key, ...others } = row
  await q.insert(reservedAddresses).values(row).onConflictDoUpdate({ target: reservedAddresses.emailKey, set: others })
}

/** The user for whom an address is reserved. */
export async function findReservation(
  { q, t: { reservedAddresses } }: Db,
  { emailKey, now }: { emailKey: string; now: EpochMs },
) {
  const { email, userId, reservedUntil } = reservedAddresses
  const [row] = await q
    .select({ email, userId })
    .from(reservedAddresses)
    .where(and(eq(reservedAddresses.emailKey, emailKey), gt(reservedUntil, now)))
  return row
}

/** Returns true when any address at all is reserved. */
export async function areAnyReserved({ q, t: { reservedAddresses } }: Db, now: EpochMs): Promise<boolean> {
  const { emailKey, reservedUntil } = reservedAddresses
  return (await q.select({ emailKey }).from(reservedAddresses).where(gt(reservedUntil, now)).limit(1)).length > 0
}

/** Returns true when one of the addresses is reserved. @param except the user whose own addresses do not count */
export async function isReserved(
  { q, t: { reservedAddresses } }: Db,
  { emailKeys, except, now }: { emailKeys: string[]; except?: number; now: EpochMs },
): Promise<boolean> {
  const { emailKey, userId, reservedUntil } = reservedAddresses
  const ofOthers = except === undefined ? undefined : ne(userId, except)
  const rows = await q
    .select({ emailKey })
    .from(reservedAddresses)
    .where(and(inArray(emailKey, emailKeys), gt(reservedUntil, now), ofOthers))
    .limit(1)
  return rows.length > 0
}

/**
 * Finds the users for whom one of `emailKeys` is reserved. Each result has the reserved address in place of the present
 * address of the user.
 */
export const findReserved = (
  { q, t: { reservedAddresses, users } }: Db,
  { emailKeys, now }: { emailKeys: string[]; now: EpochMs },
): Promise<BulkKeys[]> =>
  q
    .select({
      id: users.id,
      emailKey: reservedAddresses.emailKey,
      usernameKey: users.usernameKey,
      externalId: users.externalId,
      externalSource: users.externalSource,
    })
    .from(reservedAddresses)
    .innerJoin(users, eq(users.id, reservedAddresses.userId))
    .where(and(inArray(reservedAddresses.emailKey, emailKeys), gt(reservedAddresses.reservedUntil, now)))

/** Ends the reservation of one address of a user. @returns the reservation; undefined when there was none */
export async function takeBack(
  { q, t: { reservedAddresses } }: Db,
  { id, emailKey, now }: { id: number; emailKey: string; now: EpochMs },
): Promise<{ email: string; epoch: number } | undefined> {
  const { email, epoch, userId, reservedUntil } = reservedAddresses
  const [row] = await q
    .delete(reservedAddresses)
    .where(and(eq(reservedAddresses.emailKey, emailKey), eq(userId, id), gt(reservedUntil, now)))
    .returning({ email, epoch })
  return row
}

/** Ends the reservations of a user that were made in the session epoch `epoch` or later. */
export async function freeSince(
  { q, t: { reservedAddresses } }: Db,
  { id, epoch }: { id: number; epoch: number },
): Promise<void> {
  await q.delete(reservedAddresses).where(and(eq(reservedAddresses.userId, id), gte(reservedAddresses.epoch, epoch)))
}

/** Ends all reservations of a user. */
export async function freeAll({ q, t: { reservedAddresses } }: Db, userId: number): Promise<void> {
  await q.delete(reservedAddresses).where(eq(reservedAddresses.userId, userId))
}

/** Extends a reservation that has not expired to `until`. Does nothing if the reservation already lasts longer. */
export async function extend(
  { q, t: { reservedAddresses } }: Db,
  { id, emailKey, until, now }: { id: number; emailKey: string; until: EpochMs; now: EpochMs },
): Promise<void> {
  const { userId, reservedUntil } = reservedAddresses
  await q
    .update(reservedAddresses)
    .set({ reservedUntil: until })
    .where(
      and(eq(reservedAddresses.emailKey, emailKey), eq(userId, id), gt(reservedUntil, now), lte(reservedUntil, until)),
    )
}

/** The former addresses of a user that are still reserved, for an export. */
export const listOf = ({ q, t: { reservedAddresses } }: Db, userId: number) => {
  const { email, reservedUntil } = reservedAddresses
  return q.select({ email, reservedUntil }).from(reservedAddresses).where(eq(reservedAddresses.userId, userId))
}

export async function deleteExpired(
  { q, t: { reservedAddresses } }: Db,
  { now, limit }: { now: EpochMs; limit: number },
): Promise<number> {
  const { emailKey, reservedUntil } = reservedAddresses
  const expired = q.select({ emailKey }).from(reservedAddresses).where(lte(reservedUntil, now)).limit(limit)
  const deleted = await q
    .delete(reservedAddresses)
    // PostgreSQL checks only the second condition again after waiting for a row. Another transaction may have reserved
    // the address again meanwhile.
    .where(and(inArray(emailKey, expired), lte(reservedUntil, now)))
    .returning({ emailKey })
  return deleted.length
}
