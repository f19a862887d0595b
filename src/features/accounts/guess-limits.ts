import { type Count, type Reservation, userKey } from '../limits/limits.ts'
import { type Device, isDeviceOf } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'

type GuessNeeds = Pick<AccountsNeeds, 'store' | 'audit' | 'limits' | 'sessions'>

/** A password that is about to be checked. */
export interface Guess {
  /** The account of the typed name. A guess at no account counts in exactly the same way. */
  user: User | undefined
  /** The key that all spellings of the typed name share. */
  name: string
  /** The client's network. */
  client: string
  ip: string
  device?: Device
}

/** The places that a guess takes in the rate limits until it is known whether the password is right. */
export interface GuessReservation extends AsyncDisposable {
  /** The known device whose own limit counted the guess. */
  device: Device | undefined
  /** The password was wrong: the places stay taken. Voids the device token after its last guess. */
  keep(): Promise<void>
  /**
   * The password was right: gives back the places, and those of this client's earlier wrong guesses for this account. Call
   * it in the transaction of the login or change, which saves a transaction of its own.
   */
  giveBack(): Promise<void>
}

/**
 * Reserves the places of a guess before the password is checked, so that a burst never passes a limit. `await using`
 * gives the places back unless they were settled.
 *
 * The limits depend on the client. A known device has its own. A known network of the account has one for the
 * account at this network, and one for all such accounts. Strangers share the limits of their network and of the
 * account. So guesses of strangers slow down strangers, never the owner on a known device or network.
 * @throws KeywardError `rate_limited`
 */
export async function reserveGuess(needs: GuessNeeds, guess: Guess): Promise<GuessReservation> {
  const { limits, sessions } = needs
  const { user, name, client, ip, device } = guess
  if (device && user && isDeviceOf(device, user)) {
    const own: Count = { rule: 'login.device', key: device.deviceId }
    const reservation = await limits.tryReserve(own)
    if (reservation) {
      const voided = () => voidExhausted(needs, own, { userId: user.id, ip })
      return { ...settling(reservation, own, voided), device }
    }
  }
  const account = user ? userKey(user.id) : limits.nameKey(name)
  const own: Count = { rule: 'login.account_prefix', key: `${account}@${client}` }
  // The narrowest limit comes first, so the refusal is the same whichever others count. It spares a flood the look-up below.
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

/** After its last guess a device token is void; the next login gives its owner another one. */
const voidExhausted = (
  { store: db, audit, limits }: GuessNeeds,
  own: Count,
  about: { userId: number; ip: string },
): Promise<void> =>
  db.transaction(async () => {
    if (await limits.closeIfExhausted(own)) await audit.record({ ...about, event: 'device_token.voided' })
  })
