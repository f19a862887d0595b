import type { SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Tables } from './tables/all.ts'

/**
 * The query builder and the tables, for each `store.ts`. A statement joins the transaction in which it is called.
 * Outside a transaction, each write is a transaction of its own.
 */
export interface Db {
  readonly q: SqliteRemoteDatabase<Record<string, never>>
  readonly t: Tables
  readonly dialect: 'sqlite' | 'postgresql'
  /** Only `statements.ts` calls `execute` and `tryRead`. `Driver` describes both functions. */
  readonly execute: Driver['execute']
  readonly tryRead: Driver['tryRead']
}

/** Waiting times of writes (SQLite) or of transactions (PostgreSQL). Totals count from the start of the process. */
export interface StorageStats {
  /** The number of writes or transactions that wait now. */
  waiting: number
  /** The number of writes or transactions whose wait is over. SQLite does not count those that were refused. */
  waitedTotal: number
  /** The sum of the waits: on SQLite until the write's batch begins, on PostgreSQL until the transaction begins. */
  waitedMsTotal: number
}

export interface Store extends Db {
  /**
   * Runs `work` in one transaction. All writes are committed when the promise resolves, and none when it rejects. Only
   * when PostgreSQL does not answer the COMMIT, a rejected transaction may have been committed.
   * - Inside another transaction, `work` joins the outer transaction.
   * - `work` awaits only statements, never a hash, mail or fetch.
   * - `work` may run again after a conflict. Therefore other effects belong in `afterCommit`.
   * - When a statement or a joined transaction fails, the whole transaction fails, even if `work` catches the error.
   *   Handle an expected conflict in SQL (`onConflictDoNothing`).
   * @param origin the user for whom `work` writes, so that the writes of one user do not delay all others
   * @throws the error of `work`; KeywardError `database_unavailable`; KeywardError `database_busy` (SQLite: after it
   * waited 3 s for another process; PostgreSQL: after the last retry of a conflict, or when a statement took too long)
   */
  transaction<T>(work: () => Promise<T>, origin?: WriteOrigin): Promise<T>
  /**
   * Inside a transaction, runs `task` after the commit, and never after a rollback; an error of `task` is only logged.
   * Outside a transaction, runs `task` at once, and throws its error.
   */
  afterCommit(task: () => void): void
  /**
   * Call this before inserting rows with chosen ids up to `through`. After the inserts, the database assigns only
   * higher ids. On PostgreSQL that is so even after a rollback.
   */
  reserveIds(table: string, through: number): Promise<void>
  stats(): StorageStats
  /** Milliseconds since the disk was last too full for a write of this process; Infinity when it never was. */
  sinceFull(): number
  /**
   * SQLite: moves committed rows from the write-ahead log into the database file, unless writes are waiting.
   * PostgreSQL: does nothing.
   * @throws an error for `isFileGone` when the file was removed or replaced, or the error of SQLite
   */
  checkpoint(): Promise<void>
  close(): Promise<void>
}

/**
 * For whom a write is done. On PostgreSQL, a process runs at most two writes of one user at once, and the user's other
 * writes wait. Without `userId`, and on SQLite, there is no such limit.
 */
export interface WriteOrigin {
  userId?: number
}

export interface Result {
  rows: unknown[][]
  /** How many rows were inserted, updated or deleted. Without meaning for a statement that returns rows. */
  changes: number
}

/** The part of the store that differs between the databases. */
export interface Driver extends Pick<Store, 'transaction' | 'afterCommit' | 'stats' | 'close'> {
  /**
   * Runs a statement as part of the transaction in which `execute` is called. Outside a transaction, a statement that
   * does not begin with SELECT is a write, which is committed when the promise resolves.
   * @param params one value for each parameter of `sql`
   * @throws KeywardError `database_busy`, `database_unavailable`, or the driver's error for a fault of the statement
   */
  execute(sql: string, params: unknown[], origin?: WriteOrigin): Promise<Result>
  /**
   * Reads the rows of a SELECT in the fastest way; see `readRows` of `statements.ts`.
   * @returns undefined inside a transaction, and while another process has locked the SQLite file. Then call `execute`.
   * @throws KeywardError `database_unavailable`, `database_busy`, or the driver's error for a fault of the statement
   */
  tryRead(sql: string, params: unknown[]): MaybePromise<unknown[][]> | undefined
  /**
   * Checks the server before the first statement, and adapts to a pooler in front of it. Does nothing on SQLite.
   * @throws the errors of `inspectServer` of `postgres-server.ts`
   */
  checkServer(): Promise<void>
  /**
   * Runs `work` in a transaction under a lock that one process at a time can have: on PostgreSQL an advisory lock, on
   * SQLite the write lock of the file. `migrate.ts` calls this before the process answers requests.
   */
  migrateAlone<T>(work: (database: MigratingDatabase) => Promise<T>): Promise<T>
  /** See `Store.checkpoint`. Absent for PostgreSQL. */
  checkpoint?(): Promise<void>
  /** The names of a table's columns; empty when there is no such table. */
  columnsOf(table: string): Promise<string[]>
}

/** The database inside `Driver.migrateAlone`. */
export interface MigratingDatabase {
  run: RunSql
  /**
   * Copies the database as it was before this transaction to the file `<path>.before-<label>`, which only its owner can
   * read.
   * @returns the path of the copy; undefined for PostgreSQL, which has its own backups, and for `:memory:`
   */
  copyAside(label: string): Promise<string | undefined>
}

export type RunSql = (sql: string, params?: unknown[]) => Promise<unknown[][]>
