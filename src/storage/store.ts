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
  /** Only `statements.ts` calls `execute` and `tryRead`. `Driver` describes both functions. */
  readonly execute: Driver['execute']
  readonly tryRead: Driver['tryRead']
}

/** Waiting times of writes (SQLite) or of transactions (PostgreSQL). Totals count from the start of the process. */
export interface StorageStats {
  /** The number of writes or transactions that wait now. */
  waiting: number
  waitedTotal: number
  /** SQLite: time until the writer and the file lock are free. PostgreSQL: time until a pool connection is free. */
  waitedMsTotal: number
}

export interface Store extends Db {
  readonly dialect: 'sqlite' | 'postgresql'
  /**
   * Runs `work` in one transaction. All writes are committed when the promise resolves, and none when it rejects.
   * - Inside another transaction, `work` joins the outer transaction.
   * - `work` awaits only statements, never a hash, mail or fetch.
   * - `work` may run again after a conflict. Therefore other effects belong in `afterCommit`.
   * - When a statement or a joined transaction fails, the whole transaction fails, even if `work` catches the error.
   *   Handle an expected conflict in SQL (`onConflictDoNothing`).
   * @param origin the user for whom `work` writes, so that the writes of one user do not delay all others
   * @throws KeywardError `database_busy` (SQLite: after waiting 3 s for another process), `database_unavailable`
   */
  transaction<T>(work: () => Promise<T>, origin?: WriteOrigin): Promise<T>
  /**
   * Runs `task` after the current transaction commits, and not after a rollback. An error of `task` is then logged.
   * Outside a transaction, runs `task` at once.
   */
  afterCommit(task: () => void): void
  /**
   * Call this before inserting rows with chosen ids up to `through`. After the inserts, the database assigns only
   * higher ids. On PostgreSQL, a rollback does not undo this change.
   */
  reserveIds(table: string, through: number): Promise<void>
  stats(): StorageStats
  /** Milliseconds since this process had a write refused for lack of space; Infinity when there was none. */
  sinceFull(): number
  /** SQLite: moves committed rows from the write-ahead log into the database file, unless writes are waiting. */
  checkpoint(): Promise<void>
  close(): Promise<void>
}

/** For whom a write is done. PostgreSQL runs two writes of one user at once in one process; the others wait. */
export interface WriteOrigin {
  userId?: number
}

export interface Result {
  rows: unknown[][]
  /** How many rows were inserted, updated or deleted; 0 for a statement that returns rows. */
  changes: number
}

/** The part of the store that differs between the databases. */
export interface Driver extends Pick<Store, 'transaction' | 'afterCommit' | 'stats' | 'close'> {
  execute(sql: string, params: unknown[], origin?: WriteOrigin): Promise<Result>
  /**
   * Reads the rows of a SELECT in the fastest way. SQLite answers without a promise. PostgreSQL batches several reads.
   * @returns undefined inside a transaction, and while another process has locked the SQLite file. Then call `execute`.
   */
  tryRead(sql: string, params: unknown[]): MaybePromise<unknown[][]> | undefined
  /**
   * Checks the server before the first statement, and adapts to a pooler in front of it. Nothing to do for SQLite.
   * @throws MigrationError when the database does not fit, or the driver's error when it cannot be reached
   */
  checkServer(): Promise<void>
  /** Runs `work` in a transaction under the migration lock. `migrate.ts` calls this before requests are answered. */
  migrateAlone<T>(work: (database: MigratingDatabase) => Promise<T>): Promise<T>
  /** See `Store.checkpoint`. Absent where the database does it on its own. */
  checkpoint?(): Promise<void>
  /** The names of a table's columns; empty when there is no such table. */
  columnsOf(table: string): Promise<string[]>
}

export interface MigratingDatabase {
  run: RunSql
  /**
   * Copies the database as it was before this transaction to a file in the same folder. Only its owner can read it.
   * @returns the path of the copy; undefined for PostgreSQL, which has its own backups, and for `:memory:`
   */
  copyAside(label: string): Promise<string | undefined>
}

export type RunSql = (sql: string, params?: unknown[]) => Promise<unknown[][]>
