import type { Deps } from '../../deps.ts'
import { record } from '../audit/record.ts'
import type { Count, Taken } from '../limits/limiter.ts'
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
  device?: Device
}

/** A guess that was let through. */
interface Admitted {
  counted: Taken
  /** The count that is this client's own for this account. */
  own: Count
}

/**
 * Lets a guess be checked if no limit stands against it, and answers whether it was right. It is counted before it is
 * checked, as if it were wrong, so that a burst never passes a limit; a right one is taken back, and begins its own
 * count anew, not those of others. One that could not be judged for a reason of ours does not count.
 * @throws KeywardError `rate_limited`, and what `check` throws
 */
export async function judgeGuess(deps: GuessDeps, guess: Guess, check: () => Promise<boolean>): Promise<boolean> {
  const { counted, own } = await admit(deps, guess)
  let right: boolean
  try {
    right = await check()
  } catch (error) {
    await deps.limits.giveBack(counted)
    throw error
  }
  if (right) {
    await deps.limits.giveBack(counted.filter((count) => count !== own))
    await deps.limits.clear(own)
  }
  return right
}

/**
 * What a guess counts against depends on who asks: a device that has logged in before has a count of its own, a network
 * that has counts for itself and for this account there, and anybody else also for the account as a whole. So a
 * stranger's guesses slow strangers down, never the owner on a known device or network.
 */
async function admit(deps: GuessDeps, { user, name, client, device }: Guess): Promise<Admitted> {
  if (device && user && isDeviceOf(device, user)) {
    const own: Count = { rule: 'login.device', key: device.deviceId }
    if (await deps.limits.tryTake(own)) return { counted: [own], own }
    await voidDevice(deps, device)
  }
  const account = user ? `u${user.id}` : deps.limits.nameKey(name)
  const own: Count = { rule: 'login.account_prefix', key: `${account}@${client}` }
  const isKnownNetwork = await hasSessionFrom(deps, { userId: user?.id ?? 0, client })
  const counts: Count[] = [
    own,
    { rule: 'login.prefix', key: client },
    { rule: 'login.prefix_accounts', key: client, ifFirstIsNew: true },
  ]
  if (!isKnownNetwork) counts.push({ rule: 'login.account', key: account })
  return { counted: await deps.limits.take(counts), own }
}

/** After ten failures a device token vouches for nobody any more; its owner gets a new one with the next log-in. */
async function voidDevice(deps: GuessDeps, { deviceId, userId }: Device): Promise<void> {
  if (await deps.limits.close({ rule: 'login.device', key: deviceId }))
    await record(deps, { event: 'device_token.voided', userId })
}
