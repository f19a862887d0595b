/** The most writes for one user that one process runs at the same time. */
const PER_ACCOUNT = 2

export interface WriteTurns {
  /**
   * Runs `work` as soon as a connection for writes is free, and settles as `work` does. At most `PER_ACCOUNT` writes
   * for one user run at the same time, so that a user with many writes does not occupy all connections.
   * @param account the id of the user; undefined for work without this limit
   */
  run<T>(account: number | undefined, work: () => Promise<T>): Promise<T>
}

/**
 * Limits the writes of a pool to three quarters of its connections. A write may wait for a lock in the database and
 * occupies its connection meanwhile. The other quarter always remains for reads.
 * @param poolSize the number of connections; with 1, reads and writes share the only connection
 */
export function createWriteTurns(poolSize: number): WriteTurns {
  const all = createPlaces(Math.max(1, poolSize - Math.ceil(poolSize / 4)))
  const accounts = new Map<number, Places>()

  function placesOf(account: number): Places {
    const known = accounts.get(account)
    if (known) return known
    const places = createPlaces(PER_ACCOUNT)
    accounts.set(account, places)
    return places
  }

  return {
    async run(account, work) {
      const own = account === undefined ? undefined : placesOf(account)
      await own?.take()
      try {
        await all.take()
        try {
          return await work()
        } finally {
          all.leave()
        }
      } finally {
        if (own?.leave()) accounts.delete(account!)
      }
    },
  }
}

interface Places {
  /** Takes a place. @returns undefined if a place was free, otherwise a promise that resolves when a place is taken */
  take(): Promise<void> | undefined
  /** Gives a place to the caller that has waited longest, if any. @returns true when all places are free */
  leave(): boolean
}

function createPlaces(count: number): Places {
  let free = count
  const waiting: (() => void)[] = []
  return {
    take() {
      if (free === 0) return new Promise((resolve) => waiting.push(resolve))
      free--
    },
    leave() {
      const next = waiting.shift()
      if (next) next()
      else free++
      return free === count
    },
  }
}
