import type { SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Tables } from './tables/all.ts'

/**
 * The query builder and the tables, for each `store.ts`. A statement that is called inside a transaction is part of
 * that transaction. Outside a transaction, each write is a transaction of its own.
 */
export interface Db {
  readonly q: SqliteRemoteDatabase<Record<string, never>>
  readonly t: Tables
  readonly dialect: 'sqlite' | 'postgresql'
  /** Only `statements.ts` calls `execute` and `tryRead`; see `Driver`. */
  readonly execute: Driver['execute']
  readonly tryRead: Driver['tryRead']
}

/**
 * The waits for the database. On SQLite, single writes and transactions wait until their batch begins. On PostgreSQL,
 * only the waits of transactions are counted, until the transaction begins. Totals count from the start of the process.
 */
export interface StorageStats {
  /** The number of waits that last now. */
  waiting: number
  /** The number of waits that are over. Waits that ended with a refusal are counted on PostgreSQL, not on SQLite. */
  waitedTotal: number
  /** The sum of the waits that `waitedTotal` counts, in milliseconds. */
  waitedMsTotal: number
}

export interface Store extends Db {
  /**
   * Runs `work` in one transaction. All writes are committed when the promise resolves, and none when it rejects. One
   * exception: if PostgreSQL does not answer the COMMIT, the promise rejects, but the writes may be committed.
   * - Inside another transaction, `work` becomes part of the outer transaction, whose commit also commits `work`.
   * - `work` must await only statements, never a hash, mail or fetch.
   * - `work` may run again after a conflict. Therefore other effects belong in `afterCommit`.
   * - When a statement or an inner transaction fails, the whole transaction fails, even if `work` catches the error.
   *   Handle an expected conflict in SQL (`onConflictDoNothing`).
   * @throws the error of `work`; KeywardError `database_unavailable`; KeywardError `database_busy` (SQLite: another
   * process has locked the file for 3 s; PostgreSQL: conflicts in every retry, or a statement that took too long)
   * @throws Error on SQLite when `work` takes longer than 3 s
   */
  transaction<T>(work: () => Promise<T>, options?: WriteOptions): Promise<T>
  /**
   * Inside a transaction, runs `task` after the commit, and never after a rollback. An error of `task` is only logged.
   * Outside a transaction, runs `task` at once, and throws an error of `task`.
   */
  afterCommit(task: () => void): void
  /**
   * Makes the database assign only ids above `through` to later rows of `table`. Call `reserveIds` before you insert
   * rows with chosen ids. A rollback does not undo this on PostgreSQL.
   */
  reserveIds(table: string, through: number): Promise<void>
  /**
   * Runs `work`, whose reads all see the rows as they were at its first read, also while others write. Nobody waits for
   * `work`, which may take hours. Not inside a transaction.
   * @param work gets the store for these reads: only for SELECTs of `statements.ts`, with `queryRows`
   */
  snapshot<T>(work: (db: Db) => Promise<T>): Promise<T>
  stats(): StorageStats
  /** Milliseconds since a write of this process last failed because of a full disk; Infinity when none has failed. */
  sinceFull(): number
  /**
   * On SQLite, moves committed rows from the write-ahead log into the database file. Does nothing while writes wait or
   * run, and on PostgreSQL.
   * @throws an error that `isFileGone` recognizes, when the file was removed or replaced; or the error of SQLite
   */
  checkpoint(): Promise<void>
  close(): Promise<void>
}

export interface WriteOptions {
  /**
   * The user for whom the write is done. On PostgreSQL, a process runs at most two writes for one user at the same
   * time, and the other writes for this user wait, so that they do not delay all others. There is no such limit when
   * `userId` is undefined, and none on SQLite.
   */
  userId?: number
  /**
   * True for a write that a power cut may undo, such as a count of a rate limit. On SQLite, its commit does not wait
   * for the disk; the next commit of another write also brings it to the disk. A crash of the process undoes nothing.
   * Has no effect on PostgreSQL.
   */
  powerCutMayUndo?: boolean
}

export interface Result {
  rows: unknown[][]
  /** The number of inserted, updated or deleted rows. Has no meaning for a statement that returns rows. */
  changes: number
}

/** The part of the store that SQLite and PostgreSQL implement differently. */
export interface Driver extends Pick<Store, 'transaction' | 'afterCommit' | 'stats' | 'close'> {
  /**
   * Runs a statement. Inside a transaction, the statement is part of the transaction. Outside a transaction, a
   * statement that does not begin with SELECT is a write, and is committed when the promise resolves.
   * @param params one value for each parameter of `sql`
   * @returns without a promise inside a transaction on SQLite
   * @throws KeywardError `database_busy`, `database_unavailable`, or the driver's error for a fault of the statement
   */
  execute(sql: string, params: unknown[], options?: WriteOptions): MaybePromise<Result>
  /**
   * Reads the rows of a SELECT in the fastest way; see `readRows` of `statements.ts`.
   * @returns undefined inside a transaction, and while another process has locked the SQLite file: call `execute`
   * instead
   * @throws KeywardError `database_unavailable`, `database_busy`, or the driver's error for a fault of the statement
   */
  tryRead(sql: string, params: unknown[]): MaybePromise<unknown[][]> | undefined
  /**
   * Checks the PostgreSQL server before the first statement, and turns off features that a pooler in front of the
   * server does not support. Does nothing on SQLite.
   * @throws the errors of `inspectServer` of `postgres-server.ts`
   */
  checkServer(): Promise<void>
  /**
   * Runs `work` in a transaction under a lock that one process at a time can have: on PostgreSQL an advisory lock, on
   * SQLite the write lock of the file. Not for a process that answers requests.
   * @throws the error of `work` or of the driver, not as a KeywardError; nothing was committed
   */
  runAlone<T>(work: (database: LockedDatabase) => Promise<T>): Promise<T>
  /** Runs `work` in a transaction that only reads, on a connection of its own. See `Store.snapshot`. */
  snapshot<T>(work: (run: RunSql) => Promise<T>): Promise<T>
  /** See `Store.checkpoint`. Absent for PostgreSQL. */
  checkpoint?(): Promise<void>
  /** Returns the names of a table's columns; an empty array when there is no such table. */
  columnsOf(table: string): Promise<string[]>
}

/** The database inside `Driver.runAlone`. */
export interface LockedDatabase {
  run: RunSql
  /**
   * Copies the SQLite database, as it was before this transaction, to the file `<path>.before-<label>`. Only the owner
   * of the copy can read it.
   * @returns the path of the copy; undefined for `:memory:`, and for PostgreSQL, which operators back up themselves
   */
  copyAside(label: string): Promise<string | undefined>
}

export type RunSql = (sql: string, params?: unknown[]) => Promise<unknown[][]>
