import { type EpochMs, SECOND } from '../../lib/clock.ts'

/** The keys whose limit is exhausted, as far as this process knows; at most `CAPACITY` keys. */
interface ExhaustedKeys {
  /**
   * The time until which a key is exhausted; undefined when this process does not know whether the key is exhausted.
   */
  until(key: string, now: EpochMs): EpochMs | undefined
  /** Remembers that a key is exhausted until `until`. */
  note(key: string, options: { until: EpochMs; now: EpochMs }): void
  /**
   * Returns true when the caller must report the exhausted key in the audit log now.
   * @param options.window in milliseconds
   * @returns false when the key is not remembered, or when a call with this key returned true within the last `window`
   */
  mustReport(key: string, options: { now: EpochMs; window: number }): boolean
}

interface Entry {
  until: EpochMs
  notedAt: EpochMs
  /** The time at which `mustReport` last returned true for the key. */
  reportedAt: EpochMs | undefined
}

/**
 * The maximum number of remembered keys. 10,000 keys take about 2 MB. Without a maximum, a flood from a million
 * addresses could fill the memory.
 */
const CAPACITY = 10_000
/**
 * How long this process relies on an entry, in milliseconds. Later the database is read again, because another process
 * may have given back the places after a right password.
 */
const TRUST = 5 * SECOND

/**
 * Makes an empty `ExhaustedKeys`. A key may be forgotten, because the database has the exact state: the next attempt
 * then costs SQL statements. Keys are stored in two Maps, and a full Map replaces the older Map as a whole. Deleting
 * single keys from the front of one Map would become slow.
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
    note(key, { until, now }) {
      const reportedAt = find(key)?.reportedAt
      if (young.size >= CAPACITY / 2) {
        old = young
        young = new Map()
      }
      young.set(key, { until, notedAt: now, reportedAt })
    },
    mustReport(key, { now, window }) {
      const entry = find(key)
      if (entry === undefined) return false
      const last = entry.reportedAt
      if (last !== undefined && now >= last && now < last + window) return false
      entry.reportedAt = now
      return true
    },
  }
}
