import { type EpochMs, SECOND } from '../../lib/clock.ts'

/** The keys that this process knows to be exhausted, bounded in number. */
interface ExhaustedKeys {
  /** The time until which a key is exhausted; undefined if that is not known. */
  until(key: string, now: EpochMs): EpochMs | undefined
  /**
   * Remembers that a key is exhausted until `until`.
   * @param options.window in milliseconds
   * @returns false when a call for this key returned true within the last `window`
   */
  note(key: string, options: { until: EpochMs; now: EpochMs; window: number }): boolean
}

interface Entry {
  until: EpochMs
  notedAt: EpochMs
  /** When `note` last returned true. */
  reportedAt: EpochMs
}

/** About 2 MB at 200 bytes per key, even in a flood from a million addresses. */
const CAPACITY = 10_000
/** How long an entry is valid without a read of the database: another process may give places back. */
const TRUST = 5 * SECOND

/**
 * A forgotten key costs one statement: the database still knows it. Keys are kept in two Maps, and the older one is
 * dropped as a whole, since a Map becomes slow when single keys are deleted from its front.
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
      const last = find(key)?.reportedAt
      const mustReport = last === undefined || now < last || now >= last + window
      if (young.size >= CAPACITY / 2) {
        old = young
        young = new Map()
      }
      young.set(key, { until, notedAt: now, reportedAt: mustReport ? now : last })
      return mustReport
    },
  }
}
