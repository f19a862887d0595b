import { KeywardError } from '../../errors.ts'
import { DAY, type EpochMs, SECOND } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256 } from '../../lib/hash.ts'
import { isRandomId, randomId } from '../../lib/random.ts'
import { ADMIN } from '../roles/roles.ts'
import type { User } from '../users/users.ts'
import type { FactorChanger } from './change.ts'
import type { FactorsNeeds } from './factors.ts'
import * as store from './trusted.store.ts'

/** A device on which a login does not ask for the second factor. */
export interface TrustedDevice {
  id: string
  /** Browser and system of the login that added it, or empty. */
  name: string
  ip: string
  createdAt: EpochMs
  expiresAt: EpochMs
}

/** What the device gets. Nothing shows the token again. */
export interface NewTrustedDevice {
  token: string
  /** How many seconds the device is trusted. */
  expiresIn: number
}

type Owner = Pick<User, 'id' | 'sessionEpoch'>

/**
 * Devices that a user trusts (TRUSTED_DEVICE_DAYS): after the password, a login there does not ask for the second factor.
 * Such a session has one factor (`aal1`): what needs a second factor asks for it all the same.
 *
 * A device counts only in the session epoch of its user in which it was added. Whatever ends all sessions of the user
 * raises the epoch, and ends the trust with them: a change of factors, a new password, a reset, a deactivation, and the
 * user who logs out everywhere. A used recovery code ends no session, so `check` deletes the devices. The end does not
 * move: a login on the device prolongs nothing.
 */
export interface TrustedDevices {
  /**
   * How many days a device of this user would be trusted; undefined when it cannot be: with TRUSTED_DEVICE_DAYS=0, and
   * for users with a role that gives a permission or requires a second factor.
   */
  trustDays(userId: number): Promise<number | undefined>
  /**
   * Trusts a device, in the transaction of a login that has shown a second factor, with the user's row locked. The owner
   * gets a mail. The twenty newest devices of a user stay trusted.
   * @returns undefined when `trustDays` says no
   */
  trust(of: { user: Owner; by: FactorChanger & { ip: string }; name: string }): Promise<NewTrustedDevice | undefined>
  /** True for the token of a device that this user trusts now. Call it with the user's row locked. */
  isTrusted(user: Owner, token: string): Promise<boolean>
  /** The trusted devices of a user, the oldest first. */
  listTrusted(user: Owner): Promise<TrustedDevice[]>
  /** @throws KeywardError `trusted_device_not_found` */
  removeTrusted(of: { user: Owner; by: FactorChanger; id: string }): Promise<void>
  /** Ends the trust in all devices of a user. @returns how many rows that were */
  removeAllTrusted(of: { by: FactorChanger }): Promise<number>
  /** Deletes up to `limit` devices that have expired. @returns how many */
  cleanUpTrusted(limit: number): Promise<number>
}

/** The most trusted devices of one user. */
const MOST = 20

const isToken = (text: string): boolean => /^kwt_[A-Za-z0-9_-]{43}$/.test(text)

/** The id of the user is in the MAC, so a row that is copied to another user is worthless. */
const macOf = (key: Uint8Array, { userId, token }: { userId: number; token: string }): string =>
  toBase64Url(hmacSha256(key, `${userId}\n${token}`))

export function trustedDevices(needs: FactorsNeeds): TrustedDevices {
  const { store: db, clock, random, audit, mails, secrets, settings } = needs
  const lifetime = settings.trustedDays * DAY
  // With a shorter TRUSTED_DEVICE_DAYS than before, devices that are older than that count no more.
  const liveOf = ({ id: userId, sessionEpoch: epoch }: Owner): store.Live => {
    const now = clock.now()
    return { userId, epoch, now, addedAfter: now - lifetime }
  }
  const trustDays = async (userId: number) =>
    settings.trustedDays === 0 || (await store.hasAdministrativeRole(db, { userId, always: ADMIN }))
      ? undefined
      : settings.trustedDays
  return {
    trustDays,
    async trust({ user, by, name }) {
      if ((await trustDays(user.id)) === undefined) return undefined
      const { userId, ip } = by
      const id = randomId(random)
      const token = `kwt_${toBase64Url(random.bytes(32))}`
      const mac = macOf(secrets.macKeys('trusted_device')[0], { userId, token })
      const which = liveOf(user)
      const { epoch, now: createdAt } = which
      const expiresAt = createdAt + lifetime
      await store.insert(db, { id, userId, mac, epoch, name, ip, createdAt, expiresAt }, { ...which, keep: MOST })
      await audit.record({ event: 'trusted_device.added', ...by, details: { device: id } })
      await mails.notify('trusted_device_added', userId, { ip, device: name })
      return { token, expiresIn: lifetime / SECOND }
    },
    async isTrusted(user, token) {
      if (!isToken(token)) return false
      const userId = user.id
      const macs = secrets.macKeys('trusted_device').map((key) => macOf(key, { userId, token }))
      return (await store.has(db, { ...liveOf(user), macs })) && (await trustDays(userId)) !== undefined
    },
    async listTrusted(user) {
      const devices = await store.list(db, liveOf(user))
      return devices.map((device) => ({
        ...device,
        expiresAt: Math.min(device.expiresAt, device.createdAt + lifetime),
      }))
    },
    async removeTrusted({ user, by, id }) {
      if (!isRandomId(id) || !(await store.remove(db, { ...liveOf(user), id })))
        throw new KeywardError('trusted_device_not_found')
      await audit.record({ event: 'trusted_device.removed', ...by, details: { device: id } })
    },
    removeAllTrusted: ({ by }) => removeAllTrusted(needs, { by, reason: 'by_user' }),
    cleanUpTrusted: (limit) => store.deleteExpired(db, { now: clock.now(), limit }),
  }
}

/** Deletes the trusted devices of a user, in the transaction of the reason. */
export async function removeAllTrusted(
  { store: db, audit }: Pick<FactorsNeeds, 'store' | 'audit'>,
  { by, reason }: { by: FactorChanger; reason: 'by_user' | 'recovery_code_used' },
): Promise<number> {
  const removed = await store.removeAll(db, by.userId)
  if (removed > 0) await audit.record({ event: 'trusted_device.removed', ...by, details: { all: true, reason } })
  return removed
}

/** Ends the trust in all devices of all users. After a restore, a device that was removed since would count again. */
export const forgetAllTrusted = ({ store: db }: Pick<FactorsNeeds, 'store'>): Promise<unknown> =>
  store.removeOfEverybody(db)
