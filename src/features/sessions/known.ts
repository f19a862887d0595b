import { DAY } from '../../lib/clock.ts'
import { clientPrefix } from '../../lib/ip.ts'
import { randomId } from '../../lib/random.ts'
import type { User } from '../users/users.ts'
import { type Device, isOfEarlierVersion } from './device-token.ts'
import * as known from './known.store.ts'
import type { SessionsNeeds } from './sessions.ts'

/** A device where a credential of the user was checked, and which was not forgotten since. */
export interface KnownDevice {
  deviceId: string
  /**
   * True when the device has a row in `devices`. False when it is known only by a token of a version before 0.3.0; its
   * next login makes the row.
   */
  isEnrolled: boolean
}

/**
 * The most known devices of one user. People use fewer devices. Each known device has a rate limit of its own for wrong
 * passwords, so more devices would allow more guesses.
 */
const MAX_DEVICES = 20

export async function findDevice(
  { store: db }: SessionsNeeds,
  device: Device,
  user: Pick<User, 'id' | 'deviceEpoch'>,
): Promise<KnownDevice | undefined> {
  const { deviceId } = device
  if (device.userId !== user.id) return undefined
  if (await known.hasDevice(db, { id: deviceId, userId: user.id })) return { deviceId, isEnrolled: true }
  return isOfEarlierVersion(device, user) ? { deviceId, isEnrolled: false } : undefined
}

/**
 * Records the device of a login. Call this function in the transaction of the login, after `holdForSession` has locked
 * the user's row.
 * @returns the id for the device token. `isNew` is true when the device was not known, or was forgotten after `device`
 *   was read
 */
export async function recordDevice(
  { store: db, clock, random }: SessionsNeeds,
  { userId, device }: { userId: number; device: KnownDevice | undefined },
): Promise<{ deviceId: string; isNew: boolean }> {
  const now = clock.now()
  if (device?.isEnrolled && (await known.useDevice(db, { id: device.deviceId, userId, now })))
    return { deviceId: device.deviceId, isNew: false }
  const isNew = device === undefined || device.isEnrolled
  const deviceId = isNew ? randomId(random) : device.deviceId
  await known.enrolDevice(db, { id: deviceId, userId, now, keep: MAX_DEVICES })
  return { deviceId, isNew }
}

/** The least time between two mails about logins on new devices of one user. */
const NEW_DEVICE_MAILS = DAY

/**
 * Returns true when the user is to be told of a login on a new device. Call this function after `recordDevice`, and
 * before the session is stored. Only such a login needs the statement.
 */
export async function isWorthMail(
  { store: db, clock, mails }: SessionsNeeds,
  { isNew, ...by }: { isNew: boolean; userId: number; deviceId: string; network: string },
): Promise<boolean> {
  return isNew && mails.isOn && known.isStrange(db, { ...by, since: clock.now() - NEW_DEVICE_MAILS })
}

export async function forgetKnown(
  { store: db, users }: SessionsNeeds,
  { userId, keep }: { userId: number; keep?: { sessionId: string; ip: string } },
): Promise<void> {
  await users.clearDeviceEpoch(userId)
  await known.forgetDevices(db, { userId, keep: keep?.sessionId })
  await known.forgetNetworks(db, userId)
  if (keep) await known.rememberNetwork(db, { sessionId: keep.sessionId, network: clientPrefix(keep.ip) })
}
