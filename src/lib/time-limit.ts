import { type Clock, SECOND } from './clock.ts'

export interface TimeLimit {
  /** Settles as `work` does. After the limit, calls `expire` and rejects with its result, but does not stop `work`. */
  watch<T>(work: Promise<T>, expire: () => unknown): Promise<T>
  stop(): void
}

/**
 * Makes a time limit of `milliseconds`, which may act up to one second late: all watched promises share one timer,
 * because a timer for each would cost more than a statement.
 */
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
        work.finally(() => watched.delete(entry)).then(resolve, reject)
      }),
  }
}
