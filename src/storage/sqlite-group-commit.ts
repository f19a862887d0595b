import { type Clock, nextTurn } from '../lib/clock.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Random } from '../lib/random.ts'
import { asRefusal, type Connection, control, isBusy } from './sqlite-file.ts'
import type { StorageStats, WriteOptions } from './store.ts'
import { databaseUnavailable } from './transaction.ts'

/** The most units that share one commit. */
const BATCH = 64

/** Settles the promise of a unit. Called after the commit of the unit's batch. */
type Settle = () => void

/** A queued write: one statement, or a whole transaction. */
interface Unit {
  /** Runs the unit. Throws or rejects only if SQLite has rolled back the whole batch, for example on a full disk. */
  run: () => MaybePromise<Settle>
  /** Rejects the unit's promise. Called when the unit was not run, or when the whole batch was rolled back. */
  reject: (error: unknown) => void
  mayBeUndone: boolean
  queuedAt: number
}

export interface GroupCommit {
  /**
   * Queues a unit, which `run` runs. The function that `run` returns is called after the commit, and settles the
   * promise of `enqueue` by calling `resolve` or `reject`.
   * @param run throws or rejects only if SQLite has rolled back the whole batch
   * @throws KeywardError `database_busy` after `patience`, or `database_unavailable`; nothing of the unit was committed
   */
  enqueue<T>(
    options: WriteOptions | undefined,
    run: (resolve: (value: T) => void, reject: (error: unknown) => void) => MaybePromise<Settle>,
  ): Promise<T>
  stats(): StorageStats
  /** Accepts no more units, and waits until the queued units have finished. */
  close(): Promise<void>
}

/**
 * Group commit: up to `BATCH` queued units run one after the other in a single SQLite transaction with one commit. Thus
 * a batch costs only one fsync. The promise of each unit settles after the commit.
 */
export function createGroupCommit(deps: {
  writer: Connection
  /** Called before each batch. An error of `checkFile` rejects every queued unit. */
  checkFile: () => void
  /** Called before each batch, with false when a power cut may undo every unit of the batch. */
  setFlush: (flush: boolean) => void
  /** Called in the transaction of each batch, after the last unit. */
  beforeCommit: () => void
  /** Ends the read snapshot of the writer, which must end before the writer can begin a transaction. */
  endSnapshot: () => void
  /** How long a unit waits for another process that has locked the file, in milliseconds. */
  patience: number
  clock: Clock
  random: Random
}): GroupCommit {
  const { writer, checkFile, setFlush, beforeCommit, endSnapshot, patience, clock, random } = deps
  let queue: Unit[] = []
  let drained: Promise<void> | undefined
  let closed = false
  let waitedTotal = 0
  let waitedMsTotal = 0

  async function drain(): Promise<void> {
    do {
      await nextTurn()
      await runBatch(await begin())
    } while (queue.length > 0)
    drained = undefined
  }

  /**
   * Begins the transaction of a batch, which takes the write lock of the file. Sleeps between attempts, so that the
   * event loop is not blocked. Rejects units that have waited for `patience`, or all units when the file is unusable.
   * @returns the units of the batch; none when no unit is queued any more
   */
  async function begin(): Promise<Unit[]> {
    for (;;) {
      try {
        endSnapshot()
        if (writer.db.inTransaction) control(writer, 'ROLLBACK')
        checkFile()
        setFlush(queue.slice(0, BATCH).some((unit) => !unit.mayBeUndone))
        control(writer, 'BEGIN IMMEDIATE')
        return queue.splice(0, BATCH)
      } catch (error) {
        const refusal = asRefusal(error)
        const now = clock.monotonic()
        const waits = (unit: Unit) => isBusy(error) && now < unit.queuedAt + patience
        for (const unit of queue) if (!waits(unit)) unit.reject(refusal)
        queue = queue.filter(waits)
        if (queue.length === 0) return []
        await clock.sleep(2 + random.fraction() * 18)
      }
    }
  }

  async function runBatch(batch: Unit[]): Promise<void> {
    if (batch.length === 0) return
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
    enqueue(options, run) {
      if (closed) return Promise.reject(databaseUnavailable())
      return new Promise((resolve, reject) => {
        queue.push({
          run: () => run(resolve, reject),
          reject,
          mayBeUndone: options?.powerCutMayUndo === true,
          queuedAt: clock.monotonic(),
        })
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

/** Rolls back the open transaction, if any. An error is ignored: before the next batch the rollback is repeated. */
export function rollBack(connection: Connection): void {
  try {
    if (connection.db.inTransaction) control(connection, 'ROLLBACK')
  } catch {}
}
