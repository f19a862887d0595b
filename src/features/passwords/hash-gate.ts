import { KeywardError } from '../../errors.ts'
import { SECOND } from '../../lib/clock.ts'
import type { HashRequester, PasswordsNeeds } from './passwords.ts'

/**
 * The shortest pause before a refusal is sent. Clients that retry at once would otherwise halve the accepted logins.
 */
const refusalPauseMs = 250
/**
 * A refusal pauses this long for each refusal that is paused, and never shorter than `refusalPauseMs`. A flood of
 * refusals is thereby spread to about one per millisecond.
 */
const refusalIntervalMs = 1
/** Paused refusals are sent in groups at this interval. A timer for each refusal would cost more than the refusal. */
const refusalBurstMs = 50
/** The most refusals that pause at the same time, which bounds their memory. Further refusals are sent immediately. */
const maxPausedRefusals = 4_096
/** The weight of the newest hash in the moving average of the time that a hash takes. */
const newestWeight = 1 / 8

export interface HashGateOptions extends Pick<PasswordsNeeds, 'maxWaitMs' | 'fairness' | 'clock'> {
  /** How many hashes run at the same time: one for each core. */
  concurrency: number
  /** The first estimate of the time of one hash, in milliseconds. Each measured hash then corrects the estimate. */
  expectedMs: number
}

/**
 * Numbers of hashes, for the metrics. The totals count from the start of the process. `waitedTotal` counts all admitted
 * hashes, also those that began immediately, and `waitedMsTotal` is the sum of their waits in milliseconds.
 */
export interface HashGateStats {
  running: number
  queued: number
  refusedTotal: number
  waitedTotal: number
  waitedMsTotal: number
}

interface HashGate {
  /**
   * Waits for a turn, then runs `work`.
   * @returns the result of `work`
   * @throws KeywardError `overloaded` with `retryAfter` (seconds), when the estimated wait exceeds `maxWaitMs`, or the
   *   client or the name already holds its whole share of the places; the error of `work`
   */
  run<T>(requester: HashRequester, work: () => Promise<T>): Promise<T>
  stats(): HashGateStats
}

/**
 * Makes a hash gate, which runs hashes in the order of their requests. `concurrency` hashes run at the same time. The
 * thread pool of Bun is not fair: when 64 clients log in again and again, some logins wait much longer than others.
 * With the gate the slowest login takes as long as the median login, at the same throughput.
 *
 * The gate admits a request when a core is free, or when the estimated wait is at most `maxWaitMs`. The estimate is the
 * average hash time, times the position in the queue, divided by `concurrency`. The number of requests that the gate
 * can admit at the same time, running or waiting, is the number of its *places*.
 *
 * With `fairness`, one client (an IPv4 address or an IPv6 /64) gets at most a quarter of the places. This share applies
 * even when no other client waits, because the gate never takes a place back from an admitted request. While one client
 * floods the gate, a request of another client therefore waits about a quarter of `maxWaitMs` at most. The share is
 * never less than `concurrency` plus one. A single client can then use all cores without pauses, even if hashes are
 * slow and places are few.
 *
 * With `fairness`, one typed name gets at most an eighth of the places, but never less than `concurrency` plus one. If
 * places are many, the two names of one account together get no more than one client, from however many networks its
 * owner logs in. The gate counts typed names, known and unknown ones, and not accounts. Otherwise a refusal would tell
 * which names exist, or which two names belong to one account.
 */
export function createHashGate({ concurrency, maxWaitMs, fairness, expectedMs, clock }: HashGateOptions): HashGate {
  const queue: (() => void)[] = []
  const ofClients = createPlacesHeld()
  const ofNames = createPlacesHeld()
  let meanMs = expectedMs
  let running = 0
  let pausedRefusals = 0
  let refusedTotal = 0
  let waitedTotal = 0
  let waitedMsTotal = 0

  const nextWait = () => (meanMs * (queue.length + 1)) / concurrency
  /** The most places that one client or one name may hold: one of `parts` equal parts of all places. */
  const share = (parts: number) => {
    const places = concurrency + (maxWaitMs * concurrency) / meanMs
    return Math.max(concurrency + 1, Math.floor(places / parts))
  }

  function admits({ client, name }: HashRequester): boolean {
    if (ofClients.of(client) >= share(4) || ofNames.of(name) >= share(8)) return false
    return running < concurrency || nextWait() <= maxWaitMs
  }

  async function refuse(): Promise<never> {
    refusedTotal++
    const retryAfter = Math.max(1, Math.ceil(nextWait() / SECOND))
    if (pausedRefusals < maxPausedRefusals) {
      pausedRefusals++
      const now = clock.monotonic()
      const at = now + Math.max(refusalPauseMs, pausedRefusals * refusalIntervalMs)
      await clock.sleep(Math.ceil(at / refusalBurstMs) * refusalBurstMs - now)
      pausedRefusals--
    }
    throw new KeywardError('overloaded', { retryAfter })
  }

  async function turn(): Promise<void> {
    const since = clock.monotonic()
    if (running < concurrency) running++
    else await new Promise<void>((resolve) => queue.push(resolve))
    waitedTotal++
    waitedMsTotal += clock.monotonic() - since
  }

  function leave({ client, name }: HashRequester): void {
    ofClients.add(client, -1)
    ofNames.add(name, -1)
    const next = queue.shift()
    if (next) next()
    else running--
  }

  return {
    async run(caller, work) {
      const requester = fairness ? caller : {}
      if (!admits(requester)) return refuse()
      ofClients.add(requester.client, 1)
      ofNames.add(requester.name, 1)
      await turn()
      const startedAt = clock.monotonic()
      try {
        const result = await work()
        // A failed hash is not measured: it may have ended early, which would make the average too short.
        meanMs += (clock.monotonic() - startedAt - meanMs) * newestWeight
        return result
      } finally {
        leave(requester)
      }
    },
    stats: () => ({ running, queued: queue.length, refusedTotal, waitedTotal, waitedMsTotal }),
  }
}

/** Counts the places that each client or each name holds. The key undefined holds none. */
function createPlacesHeld() {
  const held = new Map<string, number>()
  const of = (key: string | undefined) => (key === undefined ? 0 : (held.get(key) ?? 0))
  return {
    of,
    add(key: string | undefined, places: number): void {
      if (key === undefined) return
      const sum = of(key) + places
      if (sum === 0) held.delete(key)
      else held.set(key, sum)
    },
  }
}
