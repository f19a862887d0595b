import { refusalIn } from '../../errors.ts'
import { MINUTE } from '../../lib/clock.ts'
import { errorFields } from '../../lib/log.ts'
import { randomId } from '../../lib/random.ts'
import type { Deps } from '../../service.ts'
import { releaseLease, tryLease } from '../../storage/lease.ts'
import { maintainKeys, pollKeys } from '../signing-keys/maintain.ts'
import { KEY_POLL_INTERVAL } from '../signing-keys/signing-key.ts'
import { cleanUp } from './clean-up.ts'

/** Work that comes round. To add some, add an entry to `jobs`. */
interface Job {
  /** In the log, and of the lease. */
  name: string
  /** Milliseconds from one start to the next; a run that takes longer delays it. */
  every: number
  /** `one`: one process does it for all that share the database. `each`: every process for itself. */
  by: 'one' | 'each'
  run: (deps: Deps) => Promise<void>
}

const jobs: readonly Job[] = [
  { name: 'key_poll', every: KEY_POLL_INTERVAL, by: 'each', run: pollKeys },
  { name: 'key_maintenance', every: MINUTE, by: 'one', run: maintainKeys },
  { name: 'clean_up', every: MINUTE, by: 'one', run: cleanUp },
]

export interface RunningJobs {
  /** Resolves when no job runs. */
  settled(): Promise<void>
  /** Starts no job any more, waits for those that run and gives their leases back. */
  stop(): Promise<void>
}

/**
 * Runs every job on its timer. None runs twice at a time in one process; one that fails is logged and comes round
 * again, and never ends the process.
 */
export function startJobs(deps: Deps, list: readonly Job[] = jobs): RunningJobs {
  const { clock, log, store } = deps
  const holder = randomId(deps.random)
  const running = new Map<Job, Promise<void>>()
  const leased = new Set<string>()

  /** Holds the lease past the next turn, so that the same process goes on with it until it stops or dies. */
  async function isOurs({ name, every, by }: Job): Promise<boolean> {
    if (by === 'each') return true
    const ours = await tryLease(deps, name, holder, 3 * every)
    if (ours) leased.add(name)
    else leased.delete(name)
    return ours
  }

  async function run(job: Job): Promise<void> {
    try {
      if (await isOurs(job)) await job.run(deps)
    } catch (error) {
      // The database being away is news for whoever asks `/readyz`; a defect of ours is an error here.
      const level = refusalIn(error)?.status === 503 ? 'warn' : 'error'
      log[level]('job_failed', { job: job.name, ...errorFields(error) })
    } finally {
      running.delete(job)
    }
  }

  const timers = list.map((job) =>
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
