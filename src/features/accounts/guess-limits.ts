import { type Count, type Reservation, userKey } from '../limits/limits.ts'
import { type Device, isDeviceOf } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'

type GuessNeeds = Pick<AccountsNeeds, 'store' | 'audit' | 'limits' | 'sessions'>

/** A password that is about to be checked. */
export interface Guess {
  /** The account of the typed name. A guess for a name without an account counts in exactly the same way. */
  user: User | undefined
  /** The key that all spellings of the typed name share. */
  name: string
  /** The client's network. */
  client: string
  ip: string
  device?: Device
}

/** The places that a guess takes in the rate limits before Keyward knows whether the password is right. */
export interface GuessReservation extends AsyncDisposable {
  /** The known device, if the guess counts in the rate limit of this device. */
  device: Device | undefined
  /**
   * Call it when the password was wrong: the places stay taken. If a device token has no guesses left, it is revoked.
   */
  keep(): Promise<void>
  /**
   * Call it when the password was right. It gives back the places of this guess, and the places of earlier wrong
   * guesses for this account from the same device or network. Call it in the transaction of the login or password
   * change, because this saves a second transaction.
   */
  giveBack(): Promise<void>
}

/**
 * Reserves the places of a guess before the password is checked. Otherwise a burst of concurrent guesses could exceed a
 * limit. `await using` gives the places back if neither `keep` nor `giveBack` was called.
 *
 * The limits depend on the client:
 * - A known device has its own limit.
 * - A network from which the account has logged in has one limit for this account, and one limit for all such accounts
 *   together.
 * - All other clients share the limits of their network and the limit of the account.
 *
 * So guesses of strangers never slow down the owner on a known device or network.
 * @throws KeywardError `rate_limited`
 */
export async function reserveGuess(needs: GuessNeeds, guess: Guess): Promise<GuessReservation> {
  const { limits, sessions } = needs
  const { user, name, client, ip, device } = guess
  if (device && user && isDeviceOf(device, user)) {
    const own: Count = { rule: 'login.device', key: device.deviceId }
    const reservation = await limits.tryReserve(own, { userId: user.id, ip })
    if (reservation) {
      const voided = () => voidExhausted(needs, own, { userId: user.id, ip })
      return { ...settling(reservation, own, voided), device }
    }
  }
  const account = user ? userKey(user.id) : limits.nameKey(name)
  const own: Count = { rule: 'login.account_prefix', key: `${account}@${client}` }
  // The narrowest limit is checked first, so its refusal is the same for known and unknown networks. A refusal at this
  // point also saves the database look-up below.
  limits.refuseKnown(own)
  const isKnown = await sessions.isKnownNetwork({ userId: user?.id ?? 0, client, ip })
  const others: Count[] = isKnown
    ? [{ rule: 'login.known_prefix', key: client }]
    : [
        { rule: 'login.prefix_accounts', key: client, ifNewTo: own.rule },
        { rule: 'login.prefix', key: client },
        { rule: 'login.account', key: account },
      ]
  const reservation = await limits.reserve([own, ...others], { userId: user?.id, ip })
  return { ...settling(reservation, own), device: undefined }
}

const settling = (reservation: Reservation, own: Count, afterKeep = async () => {}) => ({
  async keep() {
    reservation.keep()
    await afterKeep()
  },
  giveBack: () => reservation.giveBack(own),
  [Symbol.asyncDispose]: () => reservation[Symbol.asyncDispose](),
})

/** Revokes a device token that has no guesses left. The next login gives the owner a new device token. */
const voidExhausted = (
  { store: db, audit, limits }: GuessNeeds,
  own: Count,
  about: { userId: number; ip: string },
): Promise<void> =>
  db.transaction(async () => {
    if (await limits.closeIfExhausted(own)) await audit.record({ ...about, event: 'device_token.voided' })
  })
