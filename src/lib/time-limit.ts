import { type Clock, SECOND } from './clock.ts'

export interface TimeLimit {
  /**
   * Settles as `work` does. When `work` takes longer than the limit, calls `expire` and rejects with the result of
   * `expire`. `work` itself is not stopped.
   */
  watch<T>(work: Promise<T>, expire: () => unknown): Promise<T>
  stop(): void
}

/**
 * Makes a time limit of `milliseconds`. The limit may act up to one second late, because all watched promises share one
 * timer. A timer for each promise would take more CPU time than a statement of the database.
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
