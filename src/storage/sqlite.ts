import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import { asRefusal, closeConnection, control, copyFile, openFile, setWait } from './sqlite-file.ts'
import { createGroupCommit, rollBack } from './sqlite-group-commit.ts'
import { createReads } from './sqlite-reads.ts'
import type { Driver, Result } from './store.ts'
import { createTimeLimit } from './time-limit.ts'
import { checkOpen, fail, join, newTransaction, runAfterCommit, runWhole, type Transaction } from './transaction.ts'

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
/** SQLite with group commit: a statement or a transaction is a unit of it, a transaction in a savepoint of its own. */
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
  const { endSnapshot } = reads
  const commits = createGroupCommit({ writer, endSnapshot, patience: BUSY_WAIT, clock, random })

  const runStatementAlone = (sql: string, params: unknown[]): Promise<Result> =>
    commits.enqueue((resolve, reject) => {
      try {
        const result = write(sql, params)
        return () => resolve(result)
      } catch (error) {
        // SQLite has rolled back the statement alone, or the whole batch.
        if (!writer.db.inTransaction) throw error
        return () => reject(error)
      }
    })

  /** In a savepoint, to which it is rolled back when it fails. */
  const runTransaction = <T>(work: () => Promise<T>): Promise<T> =>
    commits.enqueue(async (resolve, reject) => {
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
    stats: commits.stats,
    async migrateAlone(work) {
      // A migration may rebuild a table that others refer to. SQLite allows that only with foreign keys off.
      endSnapshot()
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
        rollBack(writer)
        setWait(writer, waitInside ? BUSY_WAIT : 0)
        writer.db.run('PRAGMA foreign_keys = ON')
      }
    },
    async columnsOf(table) {
      const rows = await reads.read('SELECT name FROM pragma_table_info(?)', [table])
      return rows.map(([name]) => String(name))
    },
    async close() {
      await commits.close()
      limit.stop()
      reads.close()
      closeConnection(writer)
    },
  }
}
