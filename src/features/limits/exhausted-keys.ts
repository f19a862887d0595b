import { type EpochMs, SECOND } from '../../lib/clock.ts'

/** The keys that this process knows to be exhausted, bounded in number. */
export interface ExhaustedKeys {
  /** Until when a key is exhausted; undefined when it is not known to be. */
  until(key: string, now: EpochMs): EpochMs | undefined
  /**
   * Remembers that a key is exhausted until `until`.
   * @param options.window in milliseconds
   * @returns false when a call for this key answered true within the last `window`
   */
  note(key: string, options: { until: EpochMs; now: EpochMs; window: number }): boolean
}

interface Entry {
  until: EpochMs
  notedAt: EpochMs
  /** When `note` last answered true. */
  newsAt: EpochMs
}

/** At about 200 bytes a key, a flood from a million addresses costs 2 MB. */
const CAPACITY = 10_000
/** An entry is trusted this long without asking the database: another process may have given places back. */
const TRUST = 5 * SECOND

/**
 * Forgetting a key is safe: the database still knows it, and asking costs one statement. Keys are kept in two
 * generations and the older one is dropped whole, since deleting single keys from the front of a Map makes it slow.
 */
export function createExhaustedKeys(): ExhaustedKeys {
  let young = new Map<string, Entry>()
  let old = new Map<string, Entry>()
  const find = (key: string) => young.get(key) ?? old.get(key)
  return {
    until(key, now) {
      const entry = find(key)
      if (entry === undefined || entry.until <= now) return undefined
      return now >= entry.notedAt && now < entry.notedAt + TRUST ? entry.until : undefined
    },
    note(key, { until, now, window }) {
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
