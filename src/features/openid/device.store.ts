import { and, eq, gt, inArray, isNull, lt, lte, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'

/** The request of a device, as it is stored. */
export interface StoredDevice {
  mac: string
  clientId: string
  scope: string
  /** A JSON list. */
  resources: string
  ip: string
  createdAt: EpochMs
  expiresAt: EpochMs
  /** The browser session that typed the code; null while nobody did. */
  browserSessionId: string | null
  userId: number | null
  state: DeviceState
}

export type DeviceState = 'pending' | 'approved' | 'denied' | 'used'

const columnsOf = ({ t: { deviceCodes: codes } }: Db) => ({
  mac: codes.mac,
  clientId: codes.clientId,
  scope: codes.scope,
  resources: codes.resources,
  ip: codes.ip,
  createdAt: codes.createdAt,
  expiresAt: codes.expiresAt,
  browserSessionId: codes.browserSessionId,
  userId: codes.userId,
  state: sql<DeviceState>`${codes.state}`,
})

export interface NewDevice
  extends Pick<StoredDevice, 'mac' | 'clientId' | 'scope' | 'resources' | 'ip' | 'createdAt' | 'expiresAt'> {
  userCodeMac: string
  /** The least time between two polls, in milliseconds. */
  interval: number
}

/** Stores a request. @returns false, and writes nothing, when another request has the user code */
export async function insert({ q, t: { deviceCodes: codes } }: Db, device: NewDevice): Promise<boolean> {
  const made = await q
    .insert(codes)
    .values({ ...device, state: 'pending' })
    .onConflictDoNothing()
    .returning({ mac: codes.mac })
  return made.length > 0
}

/**
 * Binds a waiting request to the browser session that typed its user code. Another browser session cannot take it over.
 * @returns undefined for an unknown, expired, decided or foreign request
 */
export async function bind(
  db: Db,
  by: { userCodeMacs: string[]; browserSessionId: string; userId: number; now: EpochMs },
): Promise<StoredDevice | undefined> {
  const { deviceCodes: codes } = db.t
  const { userCodeMacs, browserSessionId, userId, now } = by
  const isFree = or(isNull(codes.browserSessionId), eq(codes.browserSessionId, browserSessionId))
  const [bound] = await db.q
    .update(codes)
    .set({ browserSessionId, userId })
    .where(and(inArray(codes.userCodeMac, userCodeMacs), eq(codes.state, 'pending'), gt(codes.expiresAt, now), isFree))
    .returning(columnsOf(db))
  return bound
}

/** Decides a request that this browser session has bound. @returns undefined when there is none to decide */
export async function decide(
  db: Db,
  by: { userCodeMacs: string[]; browserSessionId: string; state: 'approved' | 'denied'; now: EpochMs },
): Promise<StoredDevice | undefined> {
  const { deviceCodes: codes } = db.t
  const [decided] = await db.q
    .update(codes)
    .set({ state: by.state })
    .where(
      and(
        inArray(codes.userCodeMac, by.userCodeMacs),
        eq(codes.browserSessionId, by.browserSessionId),
        eq(codes.state, 'pending'),
        gt(codes.expiresAt, by.now),
      ),
    )
    .returning(columnsOf(db))
  return decided
}

interface Poll {
  mac: string
  clientId: string
  now: EpochMs
}

/** Records a poll that is not too early. @returns undefined for an early poll, and for a device of another client */
export async function poll(db: Db, { mac, clientId, now }: Poll): Promise<StoredDevice | undefined> {
  const { deviceCodes: codes } = db.t
  const isDue = or(isNull(codes.lastPolledAt), lte(sql`${codes.lastPolledAt} + ${codes.interval}`, now))
  const [polled] = await db.q
    .update(codes)
    .set({ lastPolledAt: now })
    .where(and(eq(codes.mac, mac), eq(codes.clientId, clientId), isDue))
    .returning(columnsOf(db))
  return polled
}

/** Makes the device wait longer between its polls (RFC 8628 section 3.5). @returns false for an unknown device */
export async function slowDown(
  { q, t: { deviceCodes: codes } }: Db,
  { mac, clientId, now, by }: Poll & { by: number },
): Promise<boolean> {
  const slowed = await q
    .update(codes)
    .set({ interval: sql`${codes.interval} + ${by}`, lastPolledAt: now })
    .where(and(eq(codes.mac, mac), eq(codes.clientId, clientId)))
    .returning({ mac: codes.mac })
  return slowed.length > 0
}

/** Uses an approved request up. @returns false when another poll was first */
export async function use({ q, t: { deviceCodes: codes } }: Db, mac: string): Promise<boolean> {
  const used = await q
    .update(codes)
    .set({ state: 'used' })
    .where(and(eq(codes.mac, mac), eq(codes.state, 'approved')))
    .returning({ mac: codes.mac })
  return used.length > 0
}

/** Denies the requests of a client that a user approved, and whose device has not got its tokens yet. */
export const denyApproved = (
  { q, t: { deviceCodes: codes } }: Db,
  { userId, clientId }: { userId: number; clientId: string },
): Promise<unknown> =>
  q
    .update(codes)
    .set({ state: 'denied' })
    .where(and(eq(codes.userId, userId), eq(codes.clientId, clientId), eq(codes.state, 'approved')))

/** Deletes up to `limit` requests that expired before `before`. @returns how many */
export async function deleteOld(
  { q, t: { deviceCodes: codes } }: Db,
  { before, limit }: { before: EpochMs; limit: number },
): Promise<number> {
  const old = q.select({ mac: codes.mac }).from(codes).where(lt(codes.expiresAt, before)).limit(limit)
  return (await q.delete(codes).where(inArray(codes.mac, old)).returning({ mac: codes.mac })).length
}
