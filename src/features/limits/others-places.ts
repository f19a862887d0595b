import { type Clock, SECOND } from '../../lib/clock.ts'

/** Attempts of this process that wait until other processes settle their reservations. */
interface OthersPlaces {
  /**
   * Resolves when a new attempt may find a free place: when `freePlaces` is above 0, or after `forMs`.
   * @param options.forMs how long another process may need to settle its reservation, in milliseconds
   * @returns undefined when `MAX_WAITING` attempts already wait
   */
  nextChange(key: string, options: { forMs: number; freePlaces: () => Promise<number> }): Promise<void> | undefined
}

/** The most attempts that wait in one process at the same time, which limits the memory in a flood of attempts. */
const MAX_WAITING = 1_000

/** The milliseconds between two look-ups of one key. All attempts that wait for the key share the look-ups. */
const INTERVAL = SECOND / 10

/**
 * Makes an `OthersPlaces`, which looks up the bucket repeatedly, because no message tells this process that another
 * process gave a place back. If attempts did not wait, a right password would be refused while another process is still
 * verifying right passwords for the same account.
 */
export function createOthersPlaces(clock: Clock): OthersPlaces {
  const waitingFor = new Map<string, (() => void)[]>()
  let waiting = 0

  function wake(attempts: (() => void)[], count: number): void {
    const woken = attempts.splice(0, count)
    waiting -= woken.length
    for (const resolve of woken) resolve()
  }

  async function watch(
    key: string,
    attempts: (() => void)[],
    { forMs, freePlaces }: { forMs: number; freePlaces: () => Promise<number> },
  ): Promise<void> {
    const end = clock.monotonic() + forMs
    try {
      while (attempts.length > 0 && clock.monotonic() < end) {
        await clock.sleep(Math.min(INTERVAL, end - clock.monotonic()))
        wake(attempts, Math.max(0, await freePlaces()))
      }
    } catch {
      // Each woken attempt reads the database itself, and then throws the error.
    } finally {
      waitingFor.delete(key)
      wake(attempts, attempts.length)
    }
  }

  return {
    nextChange(key, options) {
      if (waiting >= MAX_WAITING) return undefined
      waiting++
      return new Promise((resolve) => {
        const attempts = waitingFor.get(key)
        if (attempts) {
          attempts.push(resolve)
          return
        }
        const first = [resolve]
        waitingFor.set(key, first)
        void watch(key, first, options)
      })
    },
  }
}
