import type { Clock, EpochMs } from '../../src/lib/clock.ts'

export interface ManualClock extends Clock {
  /** Advances wall and monotonic time by `ms`, wakes sleepers and runs due timers. */
  advance(ms: number): Promise<void>
  /** Sets only the wall clock, as an administrator or NTP would; it may go back. */
  setWall(at: EpochMs): void
}

interface Waiter {
  due: number
  wake: () => void
  every?: number
}

/** A clock that stands still until a test moves it. */
export function manualClock(start: EpochMs = Date.UTC(2026, 0, 1)): ManualClock {
  let wall = start
  let elapsed = 0
  let waiters: Waiter[] = []
  return {
    now: () => wall,
    monotonic: () => elapsed,
    sleep: (ms) => new Promise((wake) => waiters.push({ due: elapsed + ms, wake })),
    every: (ms, task) => {
      const waiter: Waiter = { due: elapsed + ms, wake: task, every: ms }
      waiters.push(waiter)
      return () => {
        waiters = waiters.filter((other) => other !== waiter)
      }
    },
    async advance(ms) {
      const end = elapsed + ms
      for (;;) {
        const next = waiters.filter((w) => w.due <= end).sort((a, b) => a.due - b.due)[0]
        if (!next) break
        wall += next.due - elapsed
        elapsed = next.due
        if (next.every === undefined) waiters = waiters.filter((w) => w !== next)
        else next.due += next.every
        next.wake()
        await new Promise((resolve) => setImmediate(resolve))
      }
      wall += end - elapsed
      elapsed = end
      await new Promise((resolve) => setImmediate(resolve))
    },
    setWall(at) {
      wall = at
    },
  }
}
