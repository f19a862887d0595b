/** How many writes of one account run at once in one process at most. */
const PER_ACCOUNT = 2

export interface WriteTurns {
  /**
   * Runs `work` when it is its turn, and settles as `work` does. The writes of one account may wait for each other's
   * rows, or come by the hundred, and occupy `PER_ACCOUNT` connections at most.
   * @param account the id of the user; undefined for work that only waits for a connection
   */
  run<T>(account: number | undefined, work: () => Promise<T>): Promise<T>
}

/**
 * Shares the connections of a pool between writes and reads. A write may wait for a lock in the database and keeps its
 * connection meanwhile. At least a quarter of the connections never run a write, and serve the reads.
 * @param poolSize with 1, reads and writes share the only connection
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
  /** Takes a place. Returns undefined if one was free, else a promise for the caller's turn, in order of the calls. */
  take(): Promise<void> | undefined
  /** Gives a place back; the first caller that waits gets it. @returns true when all places are free */
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
