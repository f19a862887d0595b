import { type EpochMs, SECOND } from '../../lib/clock.ts'

/** A bounded number of keys of which this process knows that their limit is exhausted. */
interface ExhaustedKeys {
  /**
   * The time until which a key is exhausted; undefined when this process does not know whether the key is exhausted.
   */
  until(key: string, now: EpochMs): EpochMs | undefined
  /** Remembers that a key is exhausted until `until`. */
  note(key: string, options: { until: EpochMs; now: EpochMs }): void
  /**
   * Whether an exhausted key must be reported now.
   * @param options.window in milliseconds
   * @returns false when the key is not remembered, or a call for it returned true within the last `window`
   */
  mustReport(key: string, options: { now: EpochMs; window: number }): boolean
}

interface Entry {
  until: EpochMs
  notedAt: EpochMs
  /** When this process was last told to report the key: the time at which `mustReport` last returned true. */
  reportedAt: EpochMs | undefined
}

/**
 * The maximum number of remembered keys. At 200 bytes per key they take about 2 MB, even in a flood from a million
 * addresses.
 */
const CAPACITY = 10_000
/**
 * How long an entry is used without a read of the database, in milliseconds. Later it is not trusted, because a right
 * password at another process may have filled the bucket.
 */
const TRUST = 5 * SECOND

/**
 * A forgotten key costs one SQL statement, because the database has the exact state. Keys are kept in two Maps, and the
 * older Map is dropped as a whole. Deleting single keys from the front of one Map would become slow.
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
