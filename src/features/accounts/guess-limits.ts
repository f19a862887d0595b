import { type Count, knownAccount, type Reservation, type RuleName, userKey } from '../limits/limits.ts'
import type { Device, KnownDevice } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'

type GuessNeeds = Pick<AccountsNeeds, 'store' | 'audit' | 'limits' | 'sessions'>

/** A password that is about to be checked. */
export interface Guess {
  /** The account of the typed name. A guess for a name without an account counts in exactly the same way. */
  user: User | undefined
  /** The key that all spellings of the typed name share. For a password change, the key of the username. */
  name: string
  /** The client's network. */
  client: string
  ip: string
  device?: Device
}

/** The places that a guess takes in the rate limits before Keyward knows whether the password is right. */
export interface GuessReservation extends AsyncDisposable {
  /** The device of the guess, if it is known: `Sessions.begin` records its login. */
  device: KnownDevice | undefined
  /**
   * Call it when the password was wrong: the places stay taken. If a device token has no guesses left, it is revoked.
   */
  keep(): Promise<void>
  /**
   * Call it when the password was right. It gives back the places of this guess, and the places of earlier wrong
   * guesses for this name or account from the same device or network. Call it in the transaction of the login or
   * password change, because this saves a second transaction.
   */
  giveBack(): Promise<void>
}

/**
 * Reserves the places of a guess before the password is checked. Otherwise a burst of concurrent guesses could exceed a
 * limit. `await using` gives the places back if neither `keep` nor `giveBack` was called.
 *
 * The limits depend on the client:
 * - A known device has a limit of its own.
 * - A network in which the account has logged in has one limit for this account, and one limit for all such accounts
 *   together.
 * - All known devices and networks of an account share one limit, the roof. When it is spent, they count as strangers,
 *   except that a device keeps a few guesses an hour.
 * - All other clients share the limits of their network and the limit of the account.
 *
 * So strangers never slow down the owner on a known device, and on a known network only if they guess from there. An
 * intruder who has collected devices or networks gets few more guesses than a stranger.
 *
 * Without a known device a guess counts for the typed name and for the account. The limits of a name are at most half
 * of those of the account, and they refuse first. So no refusal tells whether an address and a username belong
 * together.
 * @throws KeywardError `rate_limited`
 */
export async function reserveGuess(needs: GuessNeeds, guess: Guess): Promise<GuessReservation> {
  const { limits, sessions } = needs
  const { user, name, client, ip, device } = guess
  const requester = { userId: user?.id, ip }
  const known = device && user && (await sessions.findDevice(device, user))
  const vouched = known && (await reserveByDevice(needs, known, { userId: user.id, ip }))
  if (vouched) return vouched
  // A device that is not enrolled is not kept: its token may have no guesses left, and the login must give a new one.
  const kept = known?.isEnrolled ? known : undefined
  const typed = limits.nameKey(name)
  const account = user ? userKey(user.id) : typed
  const ofName: Count = { rule: 'login.name_prefix', key: `${typed}@${client}` }
  const ofAccount: Count = { rule: 'login.account_prefix', key: `${account}@${client}` }
  const own = [ofName.rule, ofAccount.rule]
  // The narrowest limit is checked first, so its refusal is the same for known and unknown networks. A refusal at this
  // point also saves the database look-up below.
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
 * Reserves the places of a guess with a known device.
 * @returns undefined when the device does not vouch for the guess: a limit that it needs is spent or off
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

/** Revokes a device token that has no guesses left. The next login gives the owner a new device token. */
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
