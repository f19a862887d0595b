/** The unsettled reservations of this process by key, and the attempts that wait for these reservations. */
interface Pending {
  begin(keys: readonly string[]): void
  /** @param outcome.freed true when the places were given back, so that a waiting attempt can take a place */
  end(keys: readonly string[], outcome: { freed: boolean }): void
  /**
   * Resolves when a new attempt may find a free place.
   * @returns undefined when no reservation of this key is unsettled, or `MAX_WAITING` attempts already wait
   */
  nextSettled(key: string): Promise<void> | undefined
  /** Returns true when a reservation of this key is unsettled. */
  has(key: string): boolean
}

/** The most attempts that wait in one process at the same time, which limits the memory in a flood of attempts. */
const MAX_WAITING = 1_000

interface Entry {
  holders: number
  waiting: (() => void)[]
}

/**
 * Makes an empty `Pending`. A reservation counts a password as wrong until the password is verified. If attempts did
 * not wait for unsettled reservations, two hundred concurrent logins with right passwords (for example, after an
 * outage) would refuse each other.
 */
export function createPending(): Pending {
  const entries = new Map<string, Entry>()
  let waiting = 0

  function wake(entry: Entry, count: number): void {
    const woken = entry.waiting.splice(0, count)
    waiting -= woken.length
    for (const resolve of woken) resolve()
  }

  return {
    begin(keys) {
      for (const key of keys) {
        const entry = entries.get(key)
        if (entry) entry.holders++
        else entries.set(key, { holders: 1, waiting: [] })
      }
    },
    end(keys, { freed }) {
      for (const key of keys) {
        const entry = entries.get(key)
        if (!entry) continue
        entry.holders--
        if (entry.holders === 0) entries.delete(key)
        if (entry.holders === 0) wake(entry, entry.waiting.length)
        else if (freed) wake(entry, 1)
      }
    },
    has: (key) => entries.has(key),
    nextSettled(key) {
      const entry = entries.get(key)
      if (!entry || waiting >= MAX_WAITING) return undefined
      waiting++
      return new Promise((resolve) => entry.waiting.push(resolve))
    },
  }
}
