import { type EpochMs, SECOND } from '../../lib/clock.ts'

/** The keys this process knows to be over, bounded in number. */
export interface Front {
  /** Until when a key is over; undefined when it is not known to be. */
  over(key: string, now: EpochMs): EpochMs | undefined
  /** Remembers that a key is over until `until`; false when that was done in the last `window` milliseconds already. */
  note(key: string, until: EpochMs, now: EpochMs, window: number): boolean
}

interface Entry {
  until: EpochMs
  notedAt: EpochMs
  /** When `note` last answered true. */
  newsAt: EpochMs
}

/** At about 200 bytes a key, a flood of a million addresses costs 2 MB and no more. */
const CAPACITY = 10_000
/** For so long a key is believed to be over unasked: another process may have given places back. */
const TRUST = 5 * SECOND

/**
 * Forgetting a key only costs a statement: the database knows it still. Two generations, the older of which is dropped as
 * a whole: taking single keys off the front of a Map makes it slow.
 */
export function createFront(): Front {
  let young = new Map<string, Entry>()
  let old = new Map<string, Entry>()
  const find = (key: string) => young.get(key) ?? old.get(key)
  return {
    over(key, now) {
      const entry = find(key)
      if (entry === undefined || entry.until <= now) return undefined
      return now >= entry.notedAt && now < entry.notedAt + TRUST ? entry.until : undefined
    },
    note(key, until, now, window) {
      const last = find(key)?.newsAt
      const isNews = last === undefined || now < last || now >= last + window
      if (young.size >= CAPACITY / 2) {
        old = young
        young = new Map()
      }
      young.set(key, { until, notedAt: now, newsAt: isNews ? now : last })
      return isNews
    },
  }
}
