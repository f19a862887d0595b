import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import type { Count, Held } from '../limits/limits.ts'
import { type Device, isDeviceOf } from '../sessions/device-token.ts'
import { hasSessionFrom } from '../sessions/known-networks.ts'
import type { User } from '../users/user.ts'

type GuessDeps = Pick<Deps, 'store' | 'clock' | 'limits'>

/** A password about to be checked. */
export interface Guess {
  /** The account that the name stands for; undefined when there is none, which counts exactly alike. */
  user: User | undefined
  /** The name in the one spelling that all spellings share. */
  name: string
  /** The network that asks. */
  client: string
  ip: string
  device?: Device
}

/** What a right password is followed by. */
export interface Recognized {
  /** The device that vouched for who asked. */
  device: Device | undefined
  /** Takes the guess back; call it in the transaction of what follows, which saves one of its own. */
  forgive: () => Promise<void>
}

/** A guess that was let through. */
interface Admitted {
  held: Held
  /** The count that is this client's own for this account. */
  own: Count
  device: Device | undefined
}

/**
 * Lets a guess be checked if no limit stands against it, and does what a right one is for; undefined for a wrong one. It is
 * counted before it is checked, as if it were wrong, so that a burst never passes a limit; a right one is taken back, and
 * begins its own count anew, not those of others. One that could not be judged for a reason of ours does not count.
 * @throws KeywardError `rate_limited`, and what `check` and `act` throw
 */
export async function judgeGuess<T>(
  deps: GuessDeps,
  guess: Guess,
  { check, act }: { check: () => Promise<boolean>; act: (recognized: Recognized) => Promise<T> },
): Promise<T | undefined> {
  const { held, own, device } = await admit(deps, guess)
  try {
    if (!(await check())) {
      held.keep()
      if (device) await voidIfSpent(deps, own, guess)
      return undefined
    }
    const forgive = () => held.giveBack(own)
    const result = await act({ device, forgive })
    await forgive()
    return result
  } finally {
    await release(held)
  }
}

/** Whatever happened, nobody waits for a guess that is over. */
async function release(held: Held): Promise<void> {
  try {
    await held.giveBack()
  } finally {
    held.keep()
  }
}

/**
 * What a guess counts against depends on who asks. A device that has logged in before has a count of its own; so has an
 * account at a network that it has logged in from before, beside one for all such accounts there; strangers share those
 * of their network and of the account. So a stranger's guesses slow strangers down, never the owner on a known device
 * or network.
 */
async function admit(deps: GuessDeps, { user, name, client, ip, device }: Guess): Promise<Admitted> {
  if (device && user && isDeviceOf(device, user)) {
    const own: Count = { rule: 'login.device', key: device.deviceId }
    const held = await deps.limits.tryTake(own)
    if (held) return { held, own, device }
  }
  const account = user ? `u${user.id}` : deps.limits.nameKey(name)
  const own: Count = { rule: 'login.account_prefix', key: `${account}@${client}` }
  // The narrowest of them all, so the answer is the same whatever else it counts against; a flood need not be looked up.
  deps.limits.refuseKnown(own)
  const isKnown = await hasSessionFrom(deps, { userId: user?.id ?? 0, client, ip })
  const others: Count[] = isKnown
    ? [{ rule: 'login.known_prefix', key: client }]
    : [
        { rule: 'login.prefix_accounts', key: client, ifNewTo: own.rule },
        { rule: 'login.prefix', key: client },
        { rule: 'login.account', key: account },
      ]
  return { held: await deps.limits.take([own, ...others], { userId: user?.id, ip }), own, device: undefined }
}

/** After ten failures a device token vouches for nobody any more; its owner gets another one with the next log-in. */
async function voidIfSpent(deps: GuessDeps, own: Count, { user, ip }: Guess): Promise<void> {
  await deps.store.transaction(async () => {
    if (await deps.limits.closeIfSpent(own)) await record(deps, { event: 'device_token.voided', userId: user?.id, ip })
  })
}
