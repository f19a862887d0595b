/** How many writes of one account run at once in one process. */
const PER_ACCOUNT = 2

export interface WriteTurns {
  /**
   * Runs `work` when it is its turn, and settles as `work` does. Writes of one account that wait for each other's rows, or
   * come by the hundred, so occupy two connections and never all of them.
   */
  run<T>(account: number | undefined, work: () => Promise<T>): Promise<T>
}

/**
 * Shares the connections of a pool between writes and reads. A write may wait for a lock in the database and keeps its
 * connection meanwhile. A quarter of the connections never runs a write, so a read always finds one that is not blocked.
 * @param poolSize with 1, reads and writes share the only connection
 */
export function createWriteTurns(poolSize: number): WriteTurns {
  const enterAny = createQueue(Math.max(1, poolSize - Math.ceil(poolSize / 4)))
  const accounts = new Map<number, { enter: () => Promise<Leave>; users: number }>()

  async function runOf<T>(account: number, work: () => Promise<T>): Promise<T> {
    const own = accounts.get(account) ?? { enter: createQueue(PER_ACCOUNT), users: 0 }
    accounts.set(account, own)
    own.users++
    const leave = await own.enter()
    try {
      return await runAny(work)
    } finally {
      leave()
      if (--own.users === 0) accounts.delete(account)
    }
  }

  async function runAny<T>(work: () => Promise<T>): Promise<T> {
    const leave = await enterAny()
    try {
      return await work()
    } finally {
      leave()
    }
  }

  return { run: (account, work) => (account === undefined ? runAny(work) : runOf(account, work)) }
}

type Leave = () => void

/** Lets `places` callers in at once, and the others in the order in which they came. */
function createQueue(places: number): () => Promise<Leave> {
  let free = places
  const waiting: (() => void)[] = []
  const leave = () => {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
  return async () => {
    if (free > 0) free--
    else await new Promise<void>((enter) => waiting.push(enter))
    return leave
  }
}
