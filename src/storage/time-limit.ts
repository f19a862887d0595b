import { type Clock, SECOND } from '../lib/clock.ts'

export interface TimeLimit {
  /** As `work`, but rejects with what `expire` answers once the limit is over. `work` itself goes on: `expire` ends it. */
  watch<T>(work: Promise<T>, expire: () => unknown): Promise<T>
  stop(): void
}

/** A limit that is kept to the second: one timer for all, since a timer for each statement would cost more than the statement. */
export function createTimeLimit(clock: Clock, milliseconds: number): TimeLimit {
  const watched = new Set<{ due: number; expire: () => void }>()
  const stop = clock.every(SECOND, () => {
    const now = clock.monotonic()
    for (const one of watched) {
      if (one.due > now) continue
      watched.delete(one)
      one.expire()
    }
  })
  return {
    stop,
    watch: (work, expire) =>
      new Promise((resolve, reject) => {
        const entry = { due: clock.monotonic() + milliseconds, expire: () => reject(expire()) }
        watched.add(entry)
        work.then(
          (value) => {
            watched.delete(entry)
            resolve(value)
          },
          (error) => {
            watched.delete(entry)
            reject(error)
          },
        )
      }),
  }
}
