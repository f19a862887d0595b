import { type EpochMs, SECOND } from '../../lib/clock.ts'

/** The keys this process knows to be over, bounded in number. */
export interface Front {
  /** Until when a key is over; undefined when it is not known to be. */
  over(key: string, now: EpochMs): EpochMs | undefined
  /** Remembers that a key is over until `until`. */
  note(key: string, until: EpochMs, now: EpochMs): void
  forget(key: string): void
}

/** At about 200 bytes a key, a flood of a million addresses costs 2 MB and no more. */
const CAPACITY = 10_000
/** For so long a key is believed to be over unasked: another process may have given places back. */
const TRUST = 5 * SECOND

/** Forgetting a key only costs a statement: the database knows it still. */
export function createFront(): Front {
  const known = new Map<string, { until: EpochMs; notedAt: EpochMs }>()
  return {
    over(key, now) {
      const entry = known.get(key)
      if (entry === undefined) return undefined
      if (entry.until > now && now >= entry.notedAt && now < entry.notedAt + TRUST) return entry.until
      known.delete(key)
      return undefined
    },
    note(key, until, now) {
      known.delete(key)
      if (known.size >= CAPACITY) known.delete(known.keys().next().value!)
      known.set(key, { until, notedAt: now })
    },
    forget: (key) => void known.delete(key),
  }
}
