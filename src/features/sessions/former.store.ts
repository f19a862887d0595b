import { and, count, eq, exists, gt, lte, max, ne, or } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { FormerValues } from '../secrets/secrets.ts'
import { aliveSql } from './alive.store.ts'

/* The refresh tokens and device tokens that were made before the current data key. None of them is stored. */

/** Counts the live sessions that began until `since` and were not refreshed after it, and finds their last expiry. */
export async function countSessionsSince(
  db: Db,
  { since, now }: { since: EpochMs; now: EpochMs },
): Promise<FormerValues> {
  const { sessions } = db.t
  const [row] = await db.q
    .select({ count: count(), until: max(sessions.expiresAt) })
    .from(sessions)
    .where(and(lte(sessions.refreshedAt, since), lte(sessions.createdAt, since), aliveSql(db, now)))
  return { count: Number(row?.count ?? 0), until: numberOf(row?.until) }
}

/**
 * Counts the users who may have a device token from before `since` that is still accepted: those with a device whose
 * last login was until `since`, and, while a token of that age can be valid, those with a device epoch.
 * @param lifetime how long a device token is valid
 */
export async function countDeviceUsersSince(
  { q, t: { devices, users } }: Db,
  { since, now, lifetime }: { since: EpochMs; now: EpochMs; lifetime: number },
): Promise<FormerValues> {
  const isDue = and(lte(devices.usedAt, since), gt(devices.usedAt, now - lifetime))
  const ofUser = q
    .select({ id: devices.id })
    .from(devices)
    .where(and(eq(devices.userId, users.id), isDue))
  const hasEpoch = ne(users.deviceEpoch, 0)
  const isEpochDue = since + lifetime > now
  const [found] = await q
    .select({ users: count() })
    .from(users)
    .where(or(isEpochDue ? hasEpoch : undefined, exists(ofUser)))
  const holders = Number(found?.users ?? 0)
  if (holders === 0) return { count: 0, until: null }
  const [old] = isEpochDue ? await q.select({ id: users.id }).from(users).where(hasEpoch).limit(1) : []
  const [device] = await q
    .select({ usedAt: max(devices.usedAt) })
    .from(devices)
    .where(isDue)
  return { count: holders, until: (old ? since : (numberOf(device?.usedAt) ?? since)) + lifetime }
}

/** PostgreSQL answers a bigint as a text. */
const numberOf = (value: number | string | null | undefined): number | null =>
  value === null || value === undefined ? null : Number(value)
