import { KeywardError } from '../../errors.ts'
import { type Clock, SECOND } from '../../lib/clock.ts'

/** The least pause before a refusal: an instant one lets clients that retry at once halve the accepted logins. */
const refusalPauseMs = 250
/** Time between two refusals on average: the more clients are refused, the longer each waits for it. */
const refusalIntervalMs = 1
/** Refusals leave together so often: each alone would wake this process and its client, which takes longer than the refusal. */
const refusalBurstMs = 50
/** More refusals than this at once are not paused, so that a flood of them holds a bounded amount of memory. */
const maxPausedRefusals = 4_096
/** Weight of the newest hash in the moving average. */
const newestWeight = 1 / 8

export interface HashGateOptions {
  /** How many hashes run at once: the number of cores. */
  concurrency: number
  /** Nobody is let in to wait longer than this, as far as can be told beforehand. */
  maxWaitMs: number
  /** Whether one client may hold only its share of the places. */
  fairness: boolean
  /** How long a hash is believed to take until some have been measured. */
  expectedMs: number
  clock: Clock
}

/** What the gate tells the metrics; totals count from the start of the process. */
export interface HashGateStats {
  running: number
  queued: number
  refusedTotal: number
  waitedTotal: number
  waitedMsTotal: number
}

export interface HashGate {
  /**
   * Runs `work` in its turn and answers what it answers. Without `client` the caller is nobody's share (the CLI).
   * @throws KeywardError `overloaded` with `retryAfter` when the wait would be too long or the client has its share
   */
  run<T>(client: string | undefined, work: () => Promise<T>): Promise<T>
  stats(): HashGateStats
}

/**
 * First come first served, as many at once as there are cores. Bun's own thread pool is not fair: behind this gate
 * the slowest of 64 logins takes as long as the middle one, at the same throughput.
 *
 * A newcomer is let in when a core is free, or while the estimated wait (average hash time times its position in the
 * queue, divided by the cores) is at most `maxWaitMs`. What fits is the number of *places*.
 *
 * With `fairness` one client (an address or an IPv6 /64) holds at most a quarter of the places. The rest stays free
 * even when nobody else is there, since a queue that is first come first served cannot take back a place once given:
 * so a newcomer's wait behind one flooding address is at most a quarter of `maxWaitMs`. The share is never less than
 * one more than the cores: where hashes are slow and places few, a client alone on the server can still use all
 * of it without a gap between two hashes.
 */
export function createHashGate({ concurrency, maxWaitMs, fairness, expectedMs, clock }: HashGateOptions): HashGate {
  const queue: (() => void)[] = []
  const placesHeld = new Map<string, number>()
  let meanMs = expectedMs
  let running = 0
  let pausedRefusals = 0
  let refusedTotal = 0
  let waitedTotal = 0
  let waitedMsTotal = 0

  const newcomersWait = () => (meanMs * (queue.length + 1)) / concurrency
  const share = () => {
    const places = concurrency + (maxWaitMs * concurrency) / meanMs
    return Math.max(concurrency + 1, Math.floor(places / 4))
  }

  function admits(client: string | undefined): boolean {
    if (client !== undefined && (placesHeld.get(client) ?? 0) >= share()) return false
    return running < concurrency || newcomersWait() <= maxWaitMs
  }

  async function refuse(): Promise<never> {
    refusedTotal++
    const retryAfter = Math.max(1, Math.ceil(newcomersWait() / SECOND))
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

  function leave(client: string | undefined): void {
    if (client !== undefined) {
      const rest = (placesHeld.get(client) ?? 1) - 1
      if (rest === 0) placesHeld.delete(client)
      else placesHeld.set(client, rest)
    }
    const next = queue.shift()
    if (next) next()
    else running--
  }

  return {
    async run(caller, work) {
      const client = fairness ? caller : undefined
      if (!admits(client)) return refuse()
      if (client !== undefined) placesHeld.set(client, (placesHeld.get(client) ?? 0) + 1)
      await turn()
      const startedAt = clock.monotonic()
      try {
        const result = await work()
        // Only what came to an end counts: a hash that failed at once says nothing of how long hashes take.
        meanMs += (clock.monotonic() - startedAt - meanMs) * newestWeight
        return result
      } finally {
        leave(client)
      }
    },
    stats: () => ({ running, queued: queue.length, refusedTotal, waitedTotal, waitedMsTotal }),
  }
}
