import { refusalIn } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorFields, type Log } from '../../lib/log.ts'
import { type Random, randomId } from '../../lib/random.ts'
import { releaseLease, tryLease } from '../../storage/lease.ts'
import type { Store } from '../../storage/store.ts'

/** The number of rows in one batch. A larger batch would make requests wait for the database. */
const BATCH = 200
/** The most batches of one chore in one run. The next run continues the chore. */
const BATCHES = 50

/**
 * Runs each chore in batches until a batch is not full, and at most `BATCHES` times.
 * @param chores each chore deletes or shortens up to `limit` rows and returns how many rows it found
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
  /** `one`: one process runs the job for all processes of the database. `each`: every process runs the job. */
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
  /** Starts no more jobs, waits for the running jobs and releases all leases of this process. */
  stop(): Promise<void>
}

/**
 * Runs every job on its timer. In one process, a job never runs twice at the same time. The error of a job is logged,
 * and the timer starts the job again.
 */
export function startJobs({ store, clock, random, log }: JobsNeeds, jobs: readonly Job[]): RunningJobs {
  const holder = randomId(random)
  const running = new Map<Job, Promise<void>>()
  const leased = new Set<string>()

  /**
   * Returns true when this process may run the job now. The lease lasts for three periods of the job, and each run
   * renews the lease. The same process therefore keeps the job until the process stops or crashes.
   */
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
      // A 503 comes from an unavailable database, which `/readyz` reports too. Any other error is a defect.
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
