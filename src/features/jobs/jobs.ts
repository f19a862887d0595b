import { refusalIn } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorFields, type Log } from '../../lib/log.ts'
import { type Random, randomId } from '../../lib/random.ts'
import { releaseLease, tryLease } from '../../storage/lease.ts'
import type { Store } from '../../storage/store.ts'

/** The most rows in one batch of a chore. Other writes wait while a batch is written, so a batch is small. */
const BATCH = 200
/** The most batches of one chore in one call of `cleanUp`. The next call continues the chore. */
const BATCHES = 50

/**
 * Calls each chore until the chore returns less than its `limit`, and at most `BATCHES` times.
 * @param chores each chore handles up to `limit` rows, and returns a number below `limit` when no more rows are due
 * @throws the error of a chore; the later chores are not run
 */
export async function cleanUp(chores: readonly ((limit: number) => Promise<number>)[]): Promise<void> {
  for (const chore of chores) for (let batch = 0; batch < BATCHES; batch++) if ((await chore(BATCH)) < BATCH) break
}

/** Periodic work. */
export interface Job {
  /** The job's name in the log, and the name of the job's lease. */
  name: string
  /** Milliseconds between two starts of the job. No start happens while the job is still running. */
  every: number
  /**
   * `one`: one process runs the job for all processes that use the database, except that two runs may overlap when a run
   * takes longer than three periods. `each`: every process runs the job.
   */
  by: 'one' | 'each'
  /** True when the job also runs at the start of the process. */
  atStart?: boolean
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
  /**
   * Starts no more jobs, waits for the running jobs and releases the leases of this process. The error of a release is
   * only logged: the lease then expires by itself.
   */
  stop(): Promise<void>
}

/**
 * Starts each job once per `Job.every`, the first time after one `Job.every`, or at once with `Job.atStart`. In one
 * process, a job never runs twice at the same time. The error of a job is only logged, and the job starts again at its
 * next time.
 */
export function startJobs({ store, clock, random, log }: JobsNeeds, jobs: readonly Job[]): RunningJobs {
  const holder = randomId(random)
  const running = new Map<Job, Promise<void>>()
  const leased = new Set<string>()

  /**
   * Returns true when this process may run the job now. The start of each run takes or renews a lease of three periods.
   * The same process therefore runs the job every time, unless a run takes longer than three periods. Another process
   * may then run the job at the same time. This harms no job, because the writes of a job are conditional (see
   * `tryLease`).
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
      // A refusal with status 503 means that the database is busy or unavailable. Any other error is a defect.
      const level = refusalIn(error)?.status === 503 ? 'warn' : 'error'
      log[level]('job_failed', { job: job.name, ...errorFields(error) })
    } finally {
      running.delete(job)
    }
  }

  function start(job: Job): void {
    if (!running.has(job)) running.set(job, run(job))
  }

  for (const job of jobs) if (job.atStart) start(job)
  const timers = jobs.map((job) => clock.every(job.every, () => start(job)))

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
