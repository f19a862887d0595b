import { and, desc, eq, exists, gt, ne, not, notInArray, or } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { castPlaceholder, limitTo } from '../../storage/cast-placeholder.ts'
import { execute, named, queryRows, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

/* The devices and networks that are known for a user, because a credential of the user was checked there. */

const prepared = statements(({ q, t: { devices, mails, sessions, users } }, { select, returning, change }) => {
  const ofUser = eq(devices.userId, castPlaceholder('userId', 'bigint'))
  const lastUsed = q
    .select({ id: devices.id })
    .from(devices)
    .where(ofUser)
    .orderBy(desc(devices.usedAt), desc(devices.id))
    .limit(limitTo('keep'))
  const told = q
    .select({ id: mails.id })
    .from(mails)
    .where(
      and(
        eq(mails.userId, users.id),
        eq(mails.kind, 'new_device'),
        gt(mails.createdAt, castPlaceholder('since', 'bigint')),
      ),
    )
  return {
    strange: select({ id: users.id }, (from) =>
      from.from(users).where(
        and(
          eq(users.id, castPlaceholder('userId', 'bigint')),
          or(
            exists(q.select({ id: sessions.id }).from(sessions).where(eq(sessions.userId, users.id))),
            exists(
              q
                .select({ id: devices.id })
                .from(devices)
                .where(and(eq(devices.userId, users.id), ne(devices.id, castPlaceholder('deviceId', 'text')))),
            ),
          ),
          not(
            exists(
              q
                .select({ id: sessions.id })
                .from(sessions)
                .where(
                  and(eq(sessions.userId, users.id), eq(sessions.loginNetwork, castPlaceholder('network', 'text'))),
                ),
            ),
          ),
          not(exists(told)),
        ),
      ),
    ),
    device: select({ id: devices.id }, (q) =>
      q.from(devices).where(and(eq(devices.id, castPlaceholder('id', 'text')), ofUser)),
    ),
    enrol: change(q.insert(devices).values({ id: named('id'), userId: named('userId'), usedAt: named('now') })),
    use: returning(
      { id: devices.id },
      q
        .update(devices)
        .set({ usedAt: named('now') })
        .where(and(eq(devices.id, named('id')), eq(devices.userId, named('userId')))),
    ),
    forgetExcess: change(q.delete(devices).where(and(ofUser, notInArray(devices.id, lastUsed)))),
    network: select({ id: sessions.id }, (q) =>
      q
        .from(sessions)
        .where(
          and(
            eq(sessions.userId, castPlaceholder('userId', 'bigint')),
            eq(sessions.loginNetwork, castPlaceholder('network', 'text')),
          ),
        )
        .limit(limitTo(1)),
    ),
  }
})

/** Returns true when the device `id` has a row in `devices` for this user. */
export const hasDevice = async (db: Db, by: { id: string; userId: number }): Promise<boolean> =>
  (await readRows(db, prepared(db).device, by)).length > 0

/** Adds a device. Of the user's devices, only the `keep` devices with the latest logins stay known. */
export async function enrolDevice(
  db: Db,
  { keep, ...device }: { id: string; userId: number; now: EpochMs; keep: number },
): Promise<void> {
  await execute(db, prepared(db).enrol, device)
  await execute(db, prepared(db).forgetExcess, { userId: device.userId, keep })
}

/** Records a login with a known device. @returns false when the device is not known any more */
export const useDevice = async (db: Db, by: { id: string; userId: number; now: EpochMs }): Promise<boolean> =>
  (await queryRows(db, prepared(db).use, by)).length > 0

export async function forgetDevice({ q, t: { devices } }: Db, id: string): Promise<void> {
  await q.delete(devices).where(eq(devices.id, id))
}

/** Returns true when a stored session of this user, live or not, has the `loginNetwork` `network`. */
export const hasNetwork = async (db: Db, by: { userId: number; network: string }): Promise<boolean> =>
  (await readRows(db, prepared(db).network, by)).length > 0

/**
 * Returns true when a login on a new device is worth a mail: the network is not known, the user has logged in before,
 * and no such mail was queued after `since`. Call this function before the session of the login is stored, while the
 * user's row is locked: of two concurrent logins, the second then finds the session and the mail of the first.
 * @param by.deviceId the new device, which is stored already
 */
export const isStrange = async (
  db: Db,
  by: { userId: number; deviceId: string; network: string; since: EpochMs },
): Promise<boolean> => (await queryRows(db, prepared(db).strange, by)).length > 0

/** Deletes the devices of a user, except the device of the session `keep`. */
export async function forgetDevices(
  { q, t: { devices, sessions } }: Db,
  { userId, keep }: { userId: number; keep: string | undefined },
): Promise<void> {
  const isKept = exists(
    q
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.id, keep ?? ''), eq(sessions.deviceId, devices.id))),
  )
  await q.delete(devices).where(and(eq(devices.userId, userId), not(isKept)))
}

export async function forgetNetworks({ q, t: { sessions } }: Db, userId: number): Promise<void> {
  await q.update(sessions).set({ loginNetwork: null }).where(eq(sessions.userId, userId))
}

/** Makes `network` the known network of a session, in place of the session's former network. */
export async function rememberNetwork(
  { q, t: { sessions } }: Db,
  { sessionId, network }: { sessionId: string; network: string },
): Promise<void> {
  await q.update(sessions).set({ loginNetwork: network }).where(eq(sessions.id, sessionId))
}

/** The known devices of a user. */
export const devicesOf = ({ q, t: { devices } }: Db, userId: number): Promise<{ id: string; usedAt: EpochMs }[]> =>
  q.select({ id: devices.id, usedAt: devices.usedAt }).from(devices).where(eq(devices.userId, userId))
