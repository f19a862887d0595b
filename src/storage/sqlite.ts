import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, nextTurn } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Random } from '../lib/random.ts'
import { asRefusal, closeConnection, control, copyFile, isBusy, openFile, setWait } from './sqlite-file.ts'
import { createReads } from './sqlite-reads.ts'
import type { Driver, Result } from './store.ts'
import { createTimeLimit } from './time-limit.ts'
import {
  checkOpen,
  databaseUnavailable,
  fail,
  join,
  newTransaction,
  runAfterCommit,
  runWhole,
  type Transaction,
} from './transaction.ts'

export interface SqliteOptions {
  /** A file, or `:memory:` for tests. In memory there is one connection, so a read also sees what is not committed yet. */
  path: string
  /** FULL: every answered write survives a power cut. NORMAL: a power cut may lose the last commits. */
  synchronous: 'FULL' | 'NORMAL'
  clock: Clock
  random: Random
  /** How many MiB of the file are kept in memory. */
  cacheMb: number
  log?: Pick<Log, 'error'>
  /** A command may wait inside SQLite. The server never does, since that would stop its event loop. */
  waitInside?: boolean
  /** Changes nothing on disk: no file is created, and an existing one keeps its journal mode. */
  inspect?: boolean
  /** Refuses a file that does not exist with a MigrationError, instead of creating it. */
  mustExist?: boolean
}

/** How long a transaction waits for another process that holds the file, in milliseconds. */
const BUSY_WAIT = 3_000
/** How long a start waits for another process that migrates the same file, in milliseconds. */
const MIGRATION_WAIT = 60_000
/** How long a unit may hold up the others, in milliseconds; its statements take microseconds and await nothing else. */
const UNIT_LIMIT = 3_000
/** How many units share one commit. */
const BATCH = 64

/** What shares a commit with others: one statement or a whole transaction. */
interface Unit {
  /**
   * Runs it. What comes back tells who waits, to be called once it is committed. Throws, or rejects, only when the
   * transaction of all is lost, as after a full disk.
   */
  run: () => MaybePromise<() => void>
  /** Tells who waits that nothing of it was done. */
  reject: (error: unknown) => void
  queuedAt: number
}

/**
 * SQLite with group commit: all units that wait at one moment run one after the other inside a single transaction, each
 * in a savepoint of its own, and share its commit. Nothing is answered before that commit, so a batch costs one fsync and
 * loses nothing.
 */
export function openSqlite({ path, synchronous, cacheMb, clock, random, log, ...options }: SqliteOptions): Driver {
  const { waitInside = false, inspect = false, mustExist = false } = options
  const { writer, openReader } = openFile({
    path,
    synchronous,
    cacheMb,
    patience: BUSY_WAIT,
    inspect,
    mustExist,
    clock,
  })
  setWait(writer, waitInside ? BUSY_WAIT : 0)
  const reads = createReads({ writer, openReader, patience: BUSY_WAIT, clock, random })
  const running = new AsyncLocalStorage<Transaction>()
  const limit = createTimeLimit(clock, UNIT_LIMIT)
  let queue: Unit[] = []
  let drained: Promise<void> | undefined
  let closed = false
  let waitedTotal = 0
  let waitedMsTotal = 0

  function enqueue<T>(
    run: (resolve: (value: T) => void, reject: (error: unknown) => void) => MaybePromise<() => void>,
  ): Promise<T> {
    if (closed) return Promise.reject(databaseUnavailable())
    return new Promise<T>((resolve, reject) => {
      queue.push({ run: () => run(resolve, reject), reject, queuedAt: clock.monotonic() })
      drained ??= drain()
    })
  }

  async function drain(): Promise<void> {
    do {
      await nextTurn()
      if (await begin()) await runBatch(queue.splice(0, BATCH))
    } while (queue.length > 0)
    drained = undefined
  }

  /** Takes the write lock, waiting outside SQLite; false once nobody waits any longer. */
  async function begin(): Promise<boolean> {
    for (;;) {
      try {
        reads.endSnapshot()
        if (writer.db.inTransaction) control(writer, 'ROLLBACK')
        control(writer, 'BEGIN IMMEDIATE')
        return true
      } catch (error) {
        const refusal = asRefusal(error)
        const now = clock.monotonic()
        const waits = (unit: Unit) => isBusy(error) && now < unit.queuedAt + BUSY_WAIT
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
    const settle: (() => void)[] = []
    try {
      for (const unit of batch) {
        const settled = unit.run()
        settle.push(settled instanceof Promise ? await settled : settled)
      }
      control(writer, 'COMMIT')
    } catch (error) {
      const refusal = isBusy(error) ? asRefusal(error) : databaseUnavailable(error)
      for (const unit of batch) unit.reject(refusal)
      // A rollback that fails is tried again before the next batch.
      if (writer.db.inTransaction) attempt(() => control(writer, 'ROLLBACK'))
      return
    }
    for (const done of settle) done()
  }

  const runStatementAlone = (sql: string, params: unknown[]): Promise<Result> =>
    enqueue((resolve, reject) => {
      try {
        const result = write(sql, params)
        return () => resolve(result)
      } catch (error) {
        // SQLite has taken the statement back, or all that the batch did.
        if (!writer.db.inTransaction) throw error
        return () => reject(error)
      }
    })

  /** In a savepoint: what it wrote is taken back when it fails. */
  const runTransaction = <T>(work: () => Promise<T>): Promise<T> =>
    enqueue(async (resolve, reject) => {
      const transaction = newTransaction()
      control(writer, 'SAVEPOINT unit')
      try {
        const value = await runInside(transaction, work)
        control(writer, 'RELEASE unit')
        return () => {
          resolve(value)
          runAfterCommit(transaction, log)
        }
      } catch (error) {
        if (!writer.db.inTransaction) throw error
        control(writer, 'ROLLBACK TO unit')
        control(writer, 'RELEASE unit')
        return () => reject(error)
      }
    })

  async function runInside<T>(transaction: Transaction, work: () => Promise<T>): Promise<T> {
    try {
      return await limit.watch(
        running.run(transaction, () => runWhole(transaction, work)),
        () => new Error('A transaction awaited something other than its statements and was rolled back'),
      )
    } finally {
      transaction.ended = true
    }
  }

  function write(sql: string, params: unknown[]): Result {
    try {
      return writer.statements.run(sql, params)
    } catch (error) {
      throw asRefusal(error)
    }
  }

  function writeInside(transaction: Transaction, sql: string, params: unknown[]): Result {
    checkOpen(transaction)
    try {
      return write(sql, params)
    } catch (error) {
      throw fail(transaction, error)
    }
  }

  return {
    async execute(sql, params) {
      const transaction = running.getStore()
      if (transaction) return writeInside(transaction, sql, params)
      if (/^\s*select\b/i.test(sql)) return { rows: await reads.read(sql, params), changes: 0 }
      return runStatementAlone(sql, params)
    },
    tryRead(sql, params) {
      return running.getStore() ? undefined : reads.tryRead(sql, params)
    },
    async transaction(work) {
      const transaction = running.getStore()
      return transaction ? join(transaction, work) : runTransaction(work)
    },
    afterCommit(task) {
      const transaction = running.getStore()
      if (transaction && !transaction.ended) transaction.afterCommit.push(task)
      else task()
    },
    stats: () => ({ waiting: queue.length, waitedTotal, waitedMsTotal }),
    async migrateAlone(work) {
      // A migration may rebuild a table that others refer to. SQLite allows that only with foreign keys off.
      reads.endSnapshot()
      writer.db.run('PRAGMA foreign_keys = OFF')
      setWait(writer, MIGRATION_WAIT)
      try {
        control(writer, 'BEGIN IMMEDIATE')
        const value = await work({
          run: async (sql, params = []) => writer.statements.run(sql, params).rows,
          copyAside: async (label) => {
            const before = reads.connection()
            if (before === writer) return undefined
            // This process holds the lock, so `before` still sees the database as it was.
            const copy = `${path}.before-${label}`
            copyFile(before, copy)
            return copy
          },
        })
        const orphans = writer.db.query('PRAGMA foreign_key_check').values()
        if (orphans.length > 0) throw new Error(`${orphans.length} rows refer to a row that is not there`)
        control(writer, 'COMMIT')
        return value
      } finally {
        if (writer.db.inTransaction) attempt(() => control(writer, 'ROLLBACK'))
        setWait(writer, waitInside ? BUSY_WAIT : 0)
        writer.db.run('PRAGMA foreign_keys = ON')
      }
    },
    async columnsOf(table) {
      const rows = await reads.read('SELECT name FROM pragma_table_info(?)', [table])
      return rows.map(([name]) => String(name))
    },
    async close() {
      closed = true
      await drained
      limit.stop()
      reads.close()
      closeConnection(writer)
    },
  }
}

function attempt(task: () => void): void {
  try {
    task()
  } catch {
    // What is wrong with the file is told to whoever needs it next.
  }
}
