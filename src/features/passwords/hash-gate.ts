import { KeywardError } from '../../errors.ts'
import { SECOND } from '../../lib/clock.ts'
import type { HashRequester, PasswordsNeeds } from './passwords.ts'

/**
 * The minimum pause before a refusal. Without this pause, clients that retry at once would halve the number of accepted
 * logins.
 */
const refusalPauseMs = 250
/** The average time between two refusals. The more refused requests wait, the longer each one waits. */
const refusalIntervalMs = 1
/**
 * Refusals are sent in groups at this interval. Waking the process for every refusal would take longer than the refusal
 * itself.
 */
const refusalBurstMs = 50
/** The maximum number of refusals that pause at once, to bound their memory. Further refusals are sent at once. */
const maxPausedRefusals = 4_096
/** Weight of the newest hash in the moving average. */
const newestWeight = 1 / 8

export interface HashGateOptions extends Pick<PasswordsNeeds, 'maxWaitMs' | 'fairness' | 'clock'> {
  /** How many hashes run at once: the number of cores. */
  concurrency: number
  /** The expected time of a hash in milliseconds, until hashes were measured. */
  expectedMs: number
}

/** For the metrics. Totals count from the start of the process. */
export interface HashGateStats {
  running: number
  queued: number
  refusedTotal: number
  waitedTotal: number
  waitedMsTotal: number
}

interface HashGate {
  /**
   * Runs `work` when its turn comes and returns its result.
   * @throws KeywardError `overloaded` with `retryAfter` when the wait would be too long, or the share of the client or of
   *   the name is used up
   */
  run<T>(requester: HashRequester, work: () => Promise<T>): Promise<T>
  stats(): HashGateStats
}

/**
 * Runs hashes in the order of their requests. As many hashes run at once as there are cores. Bun's own thread pool is
 * not fair. When 64 clients log in again and again, the gate makes the slowest login as fast as the median login, at
 * the same throughput.
 *
 * A request is admitted when a core is free, or when the estimated wait is at most `maxWaitMs`. The estimate is the
 * average hash time, times the position in the queue, divided by the number of cores. The number of requests that fit
 * is the number of *places*.
 *
 * With `fairness`, one client (an IPv4 address or an IPv6 /64) gets at most a quarter of the places. This share applies
 * even when no other client waits, because an admitted request keeps its place. So while one client floods the gate, a
 * request of another client waits at most a quarter of `maxWaitMs`. The share is always at least the number of cores
 * plus one. Then a single client can use all cores without pauses, even if hashes are slow and places are few.
 *
 * One typed name gets at most an eighth of the places, and at least as many as above. So one account, which has two
 * names, gets no more than one client, from however many networks its owner logs in. Names are counted, not accounts, and
 * unknown names too: otherwise a refusal would tell which names exist, or which two belong to one account.
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
  /** The most places of one key that gets one of `parts` parts of all places. */
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
        // Only successful hashes are measured. The time of a hash that failed at once would falsify the average.
        meanMs += (clock.monotonic() - startedAt - meanMs) * newestWeight
        return result
      } finally {
        leave(requester)
      }
    },
    stats: () => ({ running, queued: queue.length, refusedTotal, waitedTotal, waitedMsTotal }),
  }
}

/** How many places each key holds. Nobody counts without a key. */
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
