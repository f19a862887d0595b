import { type Count, knownAccount, type Reservation, type RuleName, userKey } from '../limits/limits.ts'
import type { Device, KnownDevice } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'

type GuessNeeds = Pick<AccountsNeeds, 'store' | 'audit' | 'limits' | 'sessions'>

/** A password that is about to be checked: at a login, or the current password at a password change. */
export interface Guess {
  /**
   * The user with the typed name, if there is one. A guess for a name without a user counts like a stranger's guess.
   */
  user: User | undefined
  /** The key that all spellings of the typed name share. For a password change, the key of the username. */
  name: string
  /** The client's network: an IPv4 address or an IPv6 /64. */
  client: string
  ip: string
  /** The content of the device token that the client sent; `reserveGuess` finds out whether the device is known. */
  device?: Device
}

/** The places that a guess takes in the rate limits before Keyward knows whether the password is right. */
export interface GuessReservation extends AsyncDisposable {
  /** The device to pass to `Sessions.begin`; when undefined, the login gives the client the token of a new device. */
  device: KnownDevice | undefined
  /**
   * Leaves the places taken, because the password was wrong. If the known device of the guess has no guesses left, the
   * token of the device is revoked.
   */
  keep(): Promise<void>
  /**
   * Gives back the places of this guess, because the password was right. Also gives back the places of earlier wrong
   * guesses: with a known device those of this device, else those for this name and account from this network. Call
   * this function in the transaction of the login or password change, which saves a second transaction.
   */
  giveBack(): Promise<void>
}

/**
 * Reserves the places of a guess before the password is checked. Otherwise a burst of concurrent guesses could exceed a
 * limit. `await using` gives the places back if neither `keep` nor `giveBack` was called.
 *
 * The limits depend on the client:
 * - A known device has a limit of its own.
 * - A known network has one limit for each account, and one limit for all accounts for which the network is known.
 * - All known devices and networks of an account share one more limit, the roof. When the roof is exhausted, clients on
 *   known devices and networks count as strangers, except that a known device has a few guesses an hour.
 * - Strangers, which are all other clients, share the limits of their network and the limit of the account.
 *
 * Strangers therefore never slow down the owner on a known device, and on a known network only if they guess from this
 * network. An intruder who has collected devices or networks gets few more guesses than a stranger.
 *
 * A guess without a known device counts both for the typed name and for the account. Each limit of a name has at most
 * half of the places of the same limit of the account, so the limit of the name refuses first. A refusal therefore does
 * not tell whether an address and a username belong to one account.
 * @throws KeywardError `rate_limited`
 */
export async function reserveGuess(needs: GuessNeeds, guess: Guess): Promise<GuessReservation> {
  const { limits, sessions } = needs
  const { user, name, client, ip, device } = guess
  const requester = { userId: user?.id, ip }
  const known = device && user && (await sessions.findDevice(device, user))
  const vouched = known && (await reserveByDevice(needs, known, { userId: user.id, ip }))
  if (vouched) return vouched
  // A device that is not enrolled has a token of a version before 0.3.0. This token may have no guesses left, so the
  // login must enrol a new device.
  const kept = known?.isEnrolled ? known : undefined
  const typed = limits.nameKey(name)
  const account = user ? userKey(user.id) : typed
  const ofName: Count = { rule: 'login.name_prefix', key: `${typed}@${client}` }
  const ofAccount: Count = { rule: 'login.account_prefix', key: `${account}@${client}` }
  const own = [ofName.rule, ofAccount.rule]
  // The limit for one name from one network is checked before `isKnownNetwork`. A refusal then does not tell whether
  // the network is known, and needs no look-up in the database.
  limits.refuseKnown(ofName)
  const isKnown = await sessions.isKnownNetwork({ userId: user?.id ?? 0, client })
  if (isKnown && user && !limits.isOff('login.known_account')) {
    const ofNetwork: Count[] = [ofName, ofAccount, { rule: 'login.known_prefix', key: client }]
    const reservation = await limits.reserveUnder(knownAccount(user.id), ofNetwork, requester)
    if (reservation) return { ...settling(reservation, own), device: kept }
  }
  const ofStranger: Count[] = [
    ofName,
    ofAccount,
    { rule: 'login.prefix_accounts', key: client, ifNewTo: ofName.rule },
    { rule: 'login.prefix', key: client },
    { rule: 'login.name', key: typed },
    { rule: 'login.account', key: account },
  ]
  const reservation = await limits.reserve(ofStranger, requester)
  return { ...settling(reservation, own), device: kept }
}

/**
 * Reserves the places of a guess with a known device: in the limit `login.device`, and in `login.device_own` or the
 * roof.
 * @returns undefined when a limit that the guess needs is exhausted or off; the guess then counts like one without a
 *   device
 */
async function reserveByDevice(
  needs: GuessNeeds,
  device: KnownDevice,
  about: { userId: number; ip: string },
): Promise<GuessReservation | undefined> {
  const { limits } = needs
  const own: Count = { rule: 'login.device', key: device.deviceId }
  const outsideRoof: Count = { rule: 'login.device_own', key: device.deviceId }
  const roofs = [...(device.isEnrolled ? [outsideRoof] : []), knownAccount(about.userId)]
  if (limits.isOff(own.rule)) return undefined
  for (const roof of roofs) {
    if (limits.isOff(roof.rule)) continue
    const reservation = await limits.tryReserve([own, roof], about)
    if (!reservation) continue
    const voided = () => voidExhausted(needs, own, about)
    return { ...settling(reservation, [own.rule, outsideRoof.rule], voided), device }
  }
  return undefined
}

const settling = (reservation: Reservation, own: readonly RuleName[], afterKeep = async () => {}) => ({
  async keep() {
    reservation.keep()
    await afterKeep()
  },
  giveBack: () => reservation.giveBack(own),
  [Symbol.asyncDispose]: () => reservation[Symbol.asyncDispose](),
})

/** Revokes the token of a device that has no guesses left. The next login gives the owner a new device token. */
const voidExhausted = (
  { store: db, audit, limits, sessions }: GuessNeeds,
  own: Count,
  about: { userId: number; ip: string },
): Promise<void> =>
  db.transaction(async () => {
    if (!(await limits.closeIfExhausted(own))) return
    await sessions.forgetDevice(own.key)
    await audit.record({ ...about, event: 'device_token.voided' })
  })
