import { refusalIn } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorFields, type Log } from '../../lib/log.ts'
import { type Random, randomId } from '../../lib/random.ts'
import { releaseLease, tryLease } from '../../storage/lease.ts'
import type { Store } from '../../storage/store.ts'

/** Rows in one batch: few, so that no request waits for a clean-up. */
const BATCH = 200
/** Batches of one chore in one run; the next run continues. */
const BATCHES = 50

/**
 * Runs every chore until it finds less than a batch.
 * @param chores each deletes or shortens up to `limit` rows and returns how many it found
 */
export async function cleanUp(chores: readonly ((limit: number) => Promise<number>)[]): Promise<void> {
  for (const chore of chores) for (let batch = 0; batch < BATCHES; batch++) if ((await chore(BATCH)) < BATCH) break
}

/** Periodic work. */
export interface Job {
  /** Its name in the log, and the name of its lease. */
  name: string
  /** Milliseconds from one start to the next; a run that takes longer delays the next start. */
  every: number
  /** `one`: one process runs it for all processes of the database. `each`: every process runs it for itself. */
  by: 'one' | 'each'
  run: () => Promise<void>
}

interface JobsNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
}

export interface RunningJobs {
  /** Resolves when no job is running. */
  settled(): Promise<void>
  /** Starts no more jobs, waits for the running ones and gives their leases back. */
  stop(): Promise<void>
}

/**
 * Runs every job on its timer. In one process no job runs twice at the same time. A job that fails is logged and runs
 * again at its next turn.
 */
export function startJobs({ store, clock, random, log }: JobsNeeds, jobs: readonly Job[]): RunningJobs {
  const holder = randomId(random)
  const running = new Map<Job, Promise<void>>()
  const leased = new Set<string>()

  /** Takes the lease for three turns, so that the same process keeps the job until it stops or crashes. */
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
      // `/readyz` reports a database that is down; any other error is a defect.
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
