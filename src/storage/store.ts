import type { SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Tables } from './tables/all.ts'

/**
 * The query builder and the tables, for each `store.ts`. A statement joins the transaction in which it is called. Outside
 * of one, a write has a transaction of its own.
 */
export interface Db {
  readonly q: SqliteRemoteDatabase<Record<string, never>>
  readonly t: Tables
  /** This and `tryRead`: see `Driver`; for `statements.ts`. */
  readonly execute: Driver['execute']
  readonly tryRead: Driver['tryRead']
}

/** How writes wait for their turn. Totals count from the start of the process. */
export interface StorageStats {
  /** How many are waiting now. */
  waiting: number
  waitedTotal: number
  /** SQLite: for the writer and for other processes that hold the file. PostgreSQL: for a connection of the pool. */
  waitedMsTotal: number
}

export interface Store extends Db {
  readonly dialect: 'sqlite' | 'postgresql'
  /**
   * Runs `work` in one transaction: all of it is on disk when the promise resolves, none of it when it rejects.
   * Inside a transaction it joins that one. `work` awaits only statements, never a hash, mail or fetch. It may run
   * again after a conflict, so other effects belong in `afterCommit`. When a statement or a joined transaction fails, the
   * whole fails, even if `work` catches the error. So an expected conflict is handled in SQL (`onConflictDoNothing`).
   * @param origin the user for whom it writes, so that one user cannot occupy the database
   * @throws KeywardError `database_busy` after waiting 3 s for another process, `database_unavailable`
   */
  transaction<T>(work: () => Promise<T>, origin?: WriteOrigin): Promise<T>
  /**
   * Runs `task` after the current transaction has committed, or at once outside of a transaction. Never runs it after a
   * rollback. An error of `task` is logged.
   */
  afterCommit(task: () => void): void
  /**
   * Call this before inserting rows with given ids up to `through`: the ids that the database assigns afterwards are higher.
   * A rollback does not undo it.
   */
  reserveIds(table: string, through: number): Promise<void>
  stats(): StorageStats
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
   * The rows of a SELECT by the shortest way: from SQLite without a promise, from PostgreSQL batched with other reads.
   * @returns undefined inside a transaction, and while another process holds the SQLite file: then call `execute`
   */
  tryRead(sql: string, params: unknown[]): MaybePromise<unknown[][]> | undefined
  /** Runs `work` in a transaction under the lock of migrations; for `migrate.ts`, before the server serves. */
  migrateAlone<T>(work: (database: MigratingDatabase) => Promise<T>): Promise<T>
  /** The names of a table's columns; empty when there is no such table. */
  columnsOf(table: string): Promise<string[]>
}

export interface MigratingDatabase {
  run: RunSql
  /**
   * Copies the database as it was before this transaction to a file beside it, readable by its owner alone.
   * @returns the path of the copy; undefined with PostgreSQL, which has backups of its own
   */
  copyAside(label: string): Promise<string | undefined>
}

export type RunSql = (sql: string, params?: unknown[]) => Promise<unknown[][]>
