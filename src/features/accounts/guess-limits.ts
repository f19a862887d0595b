import type { Count, Reservation } from '../limits/limits.ts'
import { type Device, isDeviceOf } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'

type GuessNeeds = Pick<AccountsNeeds, 'store' | 'audit' | 'limits' | 'sessions'>

/** A password that is about to be checked. */
export interface Guess {
  /** The account that the name stands for. Without one the guess counts exactly alike. */
  user: User | undefined
  /** The key that all spellings of the typed name share. */
  name: string
  /** The network that asks. */
  client: string
  ip: string
  device?: Device
}

/** The places of a guess at the limits, taken as if the password were wrong. */
export interface GuessReservation extends AsyncDisposable {
  /** The known device that vouched for the guess. */
  device: Device | undefined
  /** The password was wrong: the places stay taken. Voids the device token when its guesses are used up. */
  keep(): Promise<void>
  /**
   * The password was right: the places are given back, and the earlier wrong guesses of this client for this account
   * too, not those of others. Call it in the transaction of the login or change, which saves one of its own.
   */
  giveBack(): Promise<void>
}

/**
 * Reserves the places of a guess before the password is checked, so that a burst never passes a limit. `await using`
 * gives back what was not settled.
 *
 * Which limits count depends on who asks. A known device has its own. A known network of the account has one for the
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
    if (reservation) return deviceGuess(needs, { guess, own, reservation, device })
  }
  const account = user ? `u${user.id}` : limits.nameKey(name)
  const own: Count = { rule: 'login.account_prefix', key: `${account}@${client}` }
  // The narrowest limit, so the answer is the same whichever others count. It spares a flood the look-up below.
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
  return {
    device: undefined,
    keep: async () => reservation.keep(),
    giveBack: () => reservation.giveBack(own),
    [Symbol.asyncDispose]: () => reservation[Symbol.asyncDispose](),
  }
}

function deviceGuess(
  { store: db, audit, limits }: GuessNeeds,
  {
    guess: { user, ip },
    own,
    reservation,
    device,
  }: { guess: Guess; own: Count; reservation: Reservation; device: Device },
): GuessReservation {
  return {
    device,
    async keep() {
      reservation.keep()
      // After its last place is taken the token vouches for nobody; the next login gives its owner another one.
      await db.transaction(async () => {
        if (await limits.closeIfExhausted(own))
          await audit.record({ event: 'device_token.voided', userId: user?.id, ip })
      })
    },
    giveBack: () => reservation.giveBack(own),
    [Symbol.asyncDispose]: () => reservation[Symbol.asyncDispose](),
  }
}
