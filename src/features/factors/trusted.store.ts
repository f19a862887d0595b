import { and, asc, desc, eq, gt, inArray, isNotNull, lte, ne, notInArray, or } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'

/** Which rows count: those of this session epoch that have not expired, and that are not older than the setting allows. */
export interface Live {
  userId: number
  epoch: number
  now: EpochMs
  /** A device that was added at this time or before does not count. */
  addedAfter: EpochMs
}

const live = ({ trustedDevices: d }: Db['t'], { userId, epoch, now, addedAfter }: Live) =>
  and(eq(d.userId, userId), eq(d.epoch, epoch), gt(d.expiresAt, now), gt(d.createdAt, addedAfter))

/** Adds a device. Of the user's live devices the `keep` newest stay; all others are deleted. */
export async function insert(
  { q, t }: Db,
  device: Db['t']['trustedDevices']['$inferInsert'],
  { keep, ...which }: Live & { keep: number },
): Promise<void> {
  const { trustedDevices: d } = t
  await q.insert(d).values(device)
  const newest = await q
    .select({ id: d.id })
    .from(d)
    .where(live(t, which))
    .orderBy(desc(d.createdAt), desc(d.id))
    .limit(keep)
  const kept = [device.id, ...newest.map(({ id }) => id).filter((id) => id !== device.id)].slice(0, keep)
  await q.delete(d).where(and(eq(d.userId, which.userId), notInArray(d.id, kept)))
}

/** True when a live device of the user has one of these MACs. */
export async function has({ q, t }: Db, { macs, ...which }: Live & { macs: readonly string[] }): Promise<boolean> {
  const { trustedDevices: d } = t
  const found = await q
    .select({ id: d.id })
    .from(d)
    .where(and(inArray(d.mac, [...macs]), live(t, which)))
  return found.length > 0
}

/** The live devices of a user, the oldest first. */
export const list = ({ q, t }: Db, which: Live) => {
  const { id, name, ip, createdAt, expiresAt } = t.trustedDevices
  return q
    .select({ id, name, ip, createdAt, expiresAt })
    .from(t.trustedDevices)
    .where(live(t, which))
    .orderBy(asc(createdAt), asc(id))
}

/** Deletes one live device of a user. @returns false when there is none with this id */
export async function remove({ q, t }: Db, { id, ...which }: Live & { id: string }): Promise<boolean> {
  const { trustedDevices: d } = t
  const removed = await q
    .delete(d)
    .where(and(eq(d.id, id), live(t, which)))
    .returning({ id: d.id })
  return removed.length > 0
}

/** Deletes all devices of a user, live or not. @returns how many */
export const removeAll = async ({ q, t: { trustedDevices: d } }: Db, userId: number): Promise<number> =>
  (await q.delete(d).where(eq(d.userId, userId)).returning({ id: d.id })).length

/** Deletes all devices of all users. */
export const removeOfEverybody = ({ q, t }: Db): Promise<unknown> => q.delete(t.trustedDevices)

export async function deleteExpired(
  { q, t: { trustedDevices: d } }: Db,
  { now, limit }: { now: EpochMs; limit: number },
): Promise<number> {
  const expired = q.select({ id: d.id }).from(d).where(lte(d.expiresAt, now)).limit(limit)
  return (await q.delete(d).where(inArray(d.id, expired)).returning({ id: d.id })).length
}

/**
 * True when the user has a role, the role `user` included, that gives a permission or requires a second factor.
 * @param of.always the name of a role that counts whatever its row says
 */
export async function hasAdministrativeRole(
  { q, t: { roles, userRoles } }: Db,
  { userId, always }: { userId: number; always: string },
): Promise<boolean> {
  const found = await q
    .select({ name: roles.name })
    .from(roles)
    .leftJoin(userRoles, and(eq(userRoles.role, roles.name), eq(userRoles.userId, userId)))
    .where(
      and(
        or(eq(roles.name, 'user'), isNotNull(userRoles.userId)),
        or(eq(roles.name, always), ne(roles.permissions, ''), eq(roles.requiresSecondFactor, true)),
      ),
    )
    .limit(1)
  return found.length > 0
}
