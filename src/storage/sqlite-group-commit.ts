import { type Clock, nextTurn } from '../lib/clock.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Random } from '../lib/random.ts'
import { asRefusal, type Connection, control, isBusy } from './sqlite-file.ts'
import type { StorageStats } from './store.ts'
import { databaseUnavailable } from './transaction.ts'

/** The most units that share one commit. */
const BATCH = 64

/** Settles the promise of a unit. It is called after the commit. */
type Settle = () => void

/** A statement or a whole transaction. */
interface Unit {
  /** Runs the unit. Throws or rejects only if SQLite has rolled back the whole batch, for example on a full disk. */
  run: () => MaybePromise<Settle>
  /** Rejects the unit's promise. Called when the unit was not run, or its whole batch was rolled back. */
  reject: (error: unknown) => void
  queuedAt: number
}

export interface GroupCommit {
  /**
   * Queues a unit. After the commit, the result of `run` is called and settles the promise. See `Unit.run`.
   * @throws KeywardError `database_busy` after `patience`, or `database_unavailable`; nothing of the unit was committed
   */
  enqueue<T>(run: (resolve: (value: T) => void, reject: (error: unknown) => void) => MaybePromise<Settle>): Promise<T>
  stats(): StorageStats
  /** Accepts no more units, and waits until the queued units have finished. */
  close(): Promise<void>
}

/**
 * Group commit: up to `BATCH` waiting units run one after the other in a single SQLite transaction and share its
 * commit. Thus a batch costs only one fsync. The promise of each unit settles only after the commit.
 */
export function createGroupCommit(deps: {
  writer: Connection
  /** Called before each batch. Its error refuses every queued unit. */
  checkFile: () => void
  /** Called in each batch after its units. */
  beforeCommit: () => void
  /** Ends the read snapshot of the writer. A snapshot must end before the writer can begin a transaction. */
  endSnapshot: () => void
  /** How long a unit waits for another process that has locked the file, in milliseconds. */
  patience: number
  clock: Clock
  random: Random
}): GroupCommit {
  const { writer, checkFile, beforeCommit, endSnapshot, patience, clock, random } = deps
  let queue: Unit[] = []
  let drained: Promise<void> | undefined
  let closed = false
  let waitedTotal = 0
  let waitedMsTotal = 0

  async function drain(): Promise<void> {
    do {
      await nextTurn()
      if (await begin()) await runBatch(queue.splice(0, BATCH))
    } while (queue.length > 0)
    drained = undefined
  }

  /**
   * Takes the write lock. Sleeps between attempts, which does not block the event loop.
   * @returns false when every queued unit was refused, because it waited too long or the file cannot be written
   */
  async function begin(): Promise<boolean> {
    for (;;) {
      try {
        endSnapshot()
        if (writer.db.inTransaction) control(writer, 'ROLLBACK')
        checkFile()
        control(writer, 'BEGIN IMMEDIATE')
        return true
      } catch (error) {
        const refusal = asRefusal(error)
        const now = clock.monotonic()
        const waits = (unit: Unit) => isBusy(error) && now < unit.queuedAt + patience
        for (const unit of queue) if (!waits(unit)) unit.reject(refusal)
        queue = queue.filter(waits)
        if (queue.length === 0) return false
        await clock.sleep(2 + random.fraction() * 18)
      }
    }
  }

  async function runBatch(batch: Unit[]): Promise<void> {
    const begun = clock.monotonic()
    waitedTotal += batch.length
    for (const unit of batch) waitedMsTotal += begun - unit.queuedAt
    const settles: Settle[] = []
    try {
      for (const unit of batch) {
        const settle = unit.run()
        settles.push(settle instanceof Promise ? await settle : settle)
      }
      beforeCommit()
      control(writer, 'COMMIT')
    } catch (error) {
      const refusal = isBusy(error) ? asRefusal(error) : databaseUnavailable(error)
      for (const unit of batch) unit.reject(refusal)
      rollBack(writer)
      return
    }
    for (const settle of settles) settle()
  }

  return {
    enqueue(run) {
      if (closed) return Promise.reject(databaseUnavailable())
      return new Promise((resolve, reject) => {
        queue.push({ run: () => run(resolve, reject), reject, queuedAt: clock.monotonic() })
        drained ??= drain()
      })
    },
    stats: () => ({ waiting: queue.length, waitedTotal, waitedMsTotal }),
    async close() {
      closed = true
      await drained
    },
  }
}

/** Rolls back the open transaction, if any. A failed rollback is ignored, and repeated before the next batch. */
export function rollBack(connection: Connection): void {
  try {
    if (connection.db.inTransaction) control(connection, 'ROLLBACK')
  } catch {}
}
