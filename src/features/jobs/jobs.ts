import { refusalIn } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorFields, type Log } from '../../lib/log.ts'
import { type Random, randomId } from '../../lib/random.ts'
import { releaseLease, tryLease } from '../../storage/lease.ts'
import type { Store } from '../../storage/store.ts'

export { cleanUp } from './clean-up.ts'

/** Periodic work. */
export interface Job {
  /** The name in the log, and of the lease. */
  name: string
  /** Milliseconds from one start to the next; a run that takes longer delays it. */
  every: number
  /** `one`: one process runs it for all that share the database. `each`: every process runs it for itself. */
  by: 'one' | 'each'
  run: () => Promise<void>
}

export interface JobsNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
}

export interface RunningJobs {
  /** Resolves when no job runs. */
  settled(): Promise<void>
  /** Starts no more jobs, waits for those that run and gives their leases back. */
  stop(): Promise<void>
}

/**
 * Runs every job on its timer. No job runs twice at a time in one process. One that fails is logged and runs again at its
 * next turn.
 */
export function startJobs({ store, clock, random, log }: JobsNeeds, jobs: readonly Job[]): RunningJobs {
  const holder = randomId(random)
  const running = new Map<Job, Promise<void>>()
  const leased = new Set<string>()

  /** Holds the lease beyond the next turn, so that the same process goes on until it stops or dies. */
  async function isOurs({ name, every, by }: Job): Promise<boolean> {
    if (by === 'each') return true
    const isHeld = await tryLease({ store, clock }, name, holder, 3 * every)
    if (isHeld) leased.add(name)
    else leased.delete(name)
    return isHeld
  }

  async function run(job: Job): Promise<void> {
    try {
      if (await isOurs(job)) await job.run()
    } catch (error) {
      // A database that is away is reported by `/readyz`; a defect of ours is reported here.
      const level = refusalIn(error)?.status === 503 ? 'warn' : 'error'
      log[level]('job_failed', { job: job.name, ...errorFields(error) })
    } finally {
      running.delete(job)
    }
  }

  const timers = jobs.map((job) =>
    clock.every(job.every, () => {
      if (!running.has(job)) running.set(job, run(job))
    }),
  )

  async function settled(): Promise<void> {
    while (running.size > 0) await Promise.all(running.values())
  }

  return {
    settled,
    async stop() {
      for (const cancel of timers) cancel()
      await settled()
      try {
        for (const name of leased) await releaseLease(store, name, holder)
      } catch (error) {
        log.warn('lease_not_released', errorFields(error))
      }
    },
  }
}
