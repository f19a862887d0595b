import { AsyncLocalStorage } from 'node:async_hooks'
import { errorFields, type Log } from '../lib/log.ts'
import { createTimeLimit } from '../lib/time-limit.ts'
import { FILE_GONE, rememberFile } from './file-identity.ts'
import { createCounter } from './sqlite-count.ts'
import {
  asRefusal,
  BUSY_WAIT,
  closeConnection,
  control,
  copyFile,
  type FileOptions,
  openFile,
  setWait,
} from './sqlite-file.ts'
import { createFlush } from './sqlite-flush.ts'
import { createGroupCommit, rollBack } from './sqlite-group-commit.ts'
import { createReads } from './sqlite-reads.ts'
import type { Driver, Result, WriteOptions } from './store.ts'
import { join, newTransaction, runAfterCommit, runWhole, scheduleAfterCommit, type Transaction } from './transaction.ts'

export interface SqliteOptions extends FileOptions {
  log?: Pick<Log, 'error'>
  /** True for commands: SQLite itself waits for locks. Not for the server, because this wait blocks the event loop. */
  waitInside?: boolean
}

/** How long a migration waits for another process that migrates or writes to the same file, in milliseconds. */
const MIGRATION_WAIT = 60_000
/**
 * The longest time that a transaction may take, in milliseconds. All other writes wait until the transaction ends. A
 * transaction awaits only its statements, which take microseconds, so a longer transaction has a defect.
 */
const UNIT_LIMIT = 3_000

/**
 * Opens SQLite with group commit. Each write outside a transaction, and each transaction, is one unit of a batch. Each
 * transaction has its own savepoint, so that its failure does not roll back the other units.
 * @throws the errors of `openFile`
 */
export function openSqlite(options: SqliteOptions): Driver {
  const { path, clock, random, log, waitInside = false } = options
  const { writer, openReader } = openFile(options)
  const file = rememberFile(options.inspect ? ':memory:' : path, () => {
    log?.error('database_file_gone', { path, reason: FILE_GONE })
    // Moves the rows from the log into the opened file. Otherwise SQLite could apply the log to the file that is now at
    // `path`.
    try {
      emptyLog()
    } catch (error) {
      log?.error('checkpoint_failed', errorFields(error))
    }
  })
  setWait(writer, waitInside ? BUSY_WAIT : 0)
  const openSecond = () => {
    file.check()
    return openReader()
  }
  const reads = createReads({ writer, openReader: openSecond, patience: BUSY_WAIT, clock, random })
  const running = new AsyncLocalStorage<Transaction>()
  const limit = createTimeLimit(clock, UNIT_LIMIT)
  const { endSnapshot } = reads
  const commits = createGroupCommit({
    writer,
    setFlush: createFlush(writer, options.synchronous),
    checkFile: file.check,
    beforeCommit: createCounter(writer, clock),
    endSnapshot,
    patience: BUSY_WAIT,
    clock,
    random,
  })

  const runStatementAlone = (sql: string, params: unknown[], options?: WriteOptions): Promise<Result> =>
    commits.enqueue(options, (resolve, reject) => {
      try {
        const result = write(sql, params)
        return () => resolve(result)
      } catch (error) {
        // SQLite has rolled back the whole batch if no transaction is open. Otherwise only this statement has failed.
        if (!writer.db.inTransaction) throw error
        return () => reject(error)
      }
    })

  /** Runs `work` as one unit of a batch. If `work` fails, only the changes of `work` are rolled back. */
  const runTransaction = <T>(work: () => Promise<T>, options?: WriteOptions): Promise<T> =>
    commits.enqueue(options, async (resolve, reject) => {
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

  /**
   * Moves the committed rows from the write-ahead log into the file, as far as reads and writes of other connections
   * allow. Does nothing while the writer has an open transaction.
   */
  function emptyLog(): void {
    if (writer.db.inTransaction) return
    const statement = writer.db.prepare('PRAGMA wal_checkpoint(TRUNCATE)')
    try {
      statement.values()
    } finally {
      statement.finalize()
    }
  }

  function write(sql: string, params: unknown[]): Result {
    try {
      return writer.statements.run(sql, params)
    } catch (error) {
      throw asRefusal(error)
    }
  }

  return {
    execute(sql, params, options) {
      const transaction = running.getStore()
      if (transaction) return join(transaction, () => write(sql, params))
      if (/^\s*select\b/i.test(sql)) return reads.read(sql, params).then((rows) => ({ rows, changes: 0 }))
      return runStatementAlone(sql, params, options)
    },
    tryRead: (sql, params) => (running.getStore() ? undefined : reads.tryRead(sql, params)),
    async transaction(work, options) {
      const transaction = running.getStore()
      return transaction ? join(transaction, work) : runTransaction(work, options)
    },
    afterCommit: (task) => scheduleAfterCommit(running.getStore(), task),
    stats: commits.stats,
    checkServer: async () => {},
    async runAlone(work) {
      // A migration may rebuild a table that other tables refer to. SQLite allows this only while foreign keys are off.
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
            // The migration is not committed, and other processes cannot write. Thus `before` sees the old database.
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
        // The statements of a migration run once, and need not stay in memory.
        writer.statements.clear()
        setWait(writer, waitInside ? BUSY_WAIT : 0)
        writer.db.run('PRAGMA foreign_keys = ON')
      }
    },
    async snapshot(work) {
      const reader = openSecond()
      try {
        if (reader !== writer) control(reader, 'BEGIN')
        return await work(async (sql, params = []) => reader.statements.read(sql, params))
      } catch (error) {
        throw asRefusal(error)
      } finally {
        if (reader !== writer) closeConnection(reader)
      }
    },
    async columnsOf(table) {
      const rows = await reads.read('SELECT name FROM pragma_table_info(?)', [table])
      return rows.map(([name]) => String(name))
    },
    async checkpoint() {
      if (commits.stats().waiting > 0 || writer.db.inTransaction) return
      endSnapshot()
      file.check()
      emptyLog()
    },
    async close() {
      await commits.close()
      limit.stop()
      reads.close()
      try {
        file.check()
      } catch {
        // The file was removed or replaced. `onGone` of `rememberFile`, called by this or an earlier check, logs that.
      }
      closeConnection(writer)
    },
  }
}
