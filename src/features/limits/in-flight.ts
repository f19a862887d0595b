/** Which keys have places taken by this process that may yet be given back, and who waits for that. */
export interface InFlight {
  begin(keys: readonly string[]): void
  /** @param freed the places were given back */
  end(keys: readonly string[], freed: boolean): void
  /** Resolves when asking again may help; undefined when nothing of the key is in flight, or too many wait already. */
  change(key: string): Promise<void> | undefined
}

/** So many requests wait at most, in one process. */
const MAX_WAITING = 1_000

interface Entry {
  holders: number
  waiting: (() => void)[]
}

/**
 * A password under check is counted as if it were wrong. Two hundred right ones at once, after an outage, would so refuse
 * each other: whoever finds no place left because of those waits for their outcome instead.
 */
export function createInFlight(): InFlight {
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
    end(keys, freed) {
      for (const key of keys) {
        const entry = entries.get(key)
        if (!entry) continue
        entry.holders--
        if (entry.holders === 0) entries.delete(key)
        if (entry.holders === 0) wake(entry, entry.waiting.length)
        else if (freed) wake(entry, 1)
      }
    },
    change(key) {
      const entry = entries.get(key)
      if (!entry || waiting >= MAX_WAITING) return undefined
      waiting++
      return new Promise((resolve) => entry.waiting.push(resolve))
    },
  }
}
