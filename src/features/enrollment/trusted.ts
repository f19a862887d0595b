import { KeywardError } from '../../errors.ts'
import type { TrustedDevice } from '../factors/factors.ts'
import { accountWrite } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import { changerOf } from './change.ts'
import type { EnrollmentNeeds } from './enrollment.ts'

/**
 * The devices on which a login of the user does not ask for the second factor. To end the trust takes a right away, so it
 * needs no fresh login.
 */
export interface OwnTrustedDevices {
  /** The oldest first. */
  listTrusted(caller: SessionCaller): Promise<TrustedDevice[]>
  /** @throws KeywardError `trusted_device_not_found`, `rate_limited` */
  removeTrusted(caller: SessionCaller, of: { id: string; ip: string }): Promise<void>
  /** Writes nothing when the user trusts no device. @throws KeywardError `rate_limited` */
  removeAllTrusted(caller: SessionCaller, of: { ip: string }): Promise<void>
}

export function ownTrustedDevices(needs: EnrollmentNeeds): OwnTrustedDevices {
  const { store: db, limits, factors } = needs
  /** Writes in a transaction, and takes a place of the user's limit. */
  async function write<T>(caller: SessionCaller, ip: string, change: () => Promise<T>): Promise<T> {
    const { userId } = caller
    const place = await limits.reserve([accountWrite(userId)], { userId, ip })
    place.keep()
    return db.transaction(change, { userId })
  }
  return {
    listTrusted: ({ user }) => factors.listTrusted(user),
    async removeTrusted(caller, { id, ip }) {
      // A request that changes nothing takes no place and writes nothing.
      if (!(await factors.listTrusted(caller.user)).some((device) => device.id === id))
        throw new KeywardError('trusted_device_not_found')
      const by = changerOf(caller, { ip })
      await write(caller, ip, () => factors.removeTrusted({ user: caller.user, by, id }))
    },
    async removeAllTrusted(caller, { ip }) {
      if ((await factors.listTrusted(caller.user)).length === 0) return
      await write(caller, ip, () => factors.removeAllTrusted({ by: changerOf(caller, { ip }) }))
    },
  }
}
