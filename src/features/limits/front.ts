import type { EpochMs } from '../../lib/clock.ts'

/** The keys this process knows to be over, bounded in number. */
export interface Front {
  /** Until when a key is over; undefined when it is not known to be. */
  over(key: string, now: EpochMs): EpochMs | undefined
  /** Remembers that a key is over; true when that is news. */
  note(key: string, until: EpochMs): boolean
  forget(keys: readonly string[]): void
}

/** At about 100 bytes a key, a flood of a million addresses costs 1 MB and no more. */
const CAPACITY = 10_000

/** Forgetting a key only costs a statement: the database knows it still. */
export function createFront(): Front {
  const until = new Map<string, EpochMs>()
  return {
    over(key, now) {
      const end = until.get(key)
      if (end === undefined) return undefined
      if (end > now) return end
      until.delete(key)
      return undefined
    },
    note(key, end) {
      const isNews = !until.has(key)
      if (isNews && until.size >= CAPACITY) until.delete(until.keys().next().value!)
      until.set(key, end)
      return isNews
    },
    forget(keys) {
      for (const key of keys) until.delete(key)
    },
  }
}
