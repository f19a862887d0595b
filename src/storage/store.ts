import type { SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Tables } from './tables/all.ts'

/**
 * What a `store.ts` needs: the query builder and the tables. A statement finds its connection when it runs: the
 * transaction it is called in if there is one, else the reader or, for a write, a transaction of its own.
 */
export interface Db {
  readonly q: SqliteRemoteDatabase<Record<string, never>>
  readonly t: Tables
  /** See `Driver`. */
  readonly execute: Driver['execute']
  readonly tryRead: Driver['tryRead']
}

/** How transactions wait for their turn; totals count from the start of the process. */
export interface StorageStats {
  /** How many wait now. */
  waiting: number
  waitedTotal: number
  /** SQLite: for the writer and for other processes that hold the file. PostgreSQL: for a connection of the pool. */
  waitedMsTotal: number
}

export interface Store extends Db {
  readonly dialect: 'sqlite' | 'postgresql'
  /**
   * Runs `work` in one transaction: all of it is on disk when the promise resolves, none of it when it rejects.
   * Inside a transaction it joins that one. `work` awaits nothing but statements (never a hash, mail or fetch) and
   * may run again after a conflict, so it has no other effects; those go to `afterCommit`. A statement or a joined
   * transaction that fails takes the whole with it, also if `work` catches what it threw: to go on after a conflict,
   * say so in the statement (`onConflictDoNothing`).
   * @throws KeywardError `database_busy` after waiting 3 s for another process, `database_unavailable`
   */
  transaction<T>(work: () => Promise<T>): Promise<T>
  /**
   * Runs `task` once the running transaction is committed, never if it is not; at once outside a transaction. What it
   * throws is logged and changes nothing.
   */
  afterCommit(task: () => void): void
  /**
   * Before rows are inserted with ids of their own, up to `through`: the ids that the database gives out are above it
   * once they are in. Cannot be taken back.
   */
  reserveIds(table: string, through: number): Promise<void>
  stats(): StorageStats
  close(): Promise<void>
}

export interface Result {
  rows: unknown[][]
  /** How many rows were inserted, updated or deleted by a statement that answers none. */
  changes: number
}

/** One dialect's side of the store: how statements and transactions reach the database. */
export interface Driver {
  execute(sql: string, params: unknown[]): Promise<Result>
  /**
   * The rows of a SELECT with nothing on the way that need not be, from SQLite without a promise. Undefined in a
   * transaction and where the database does not answer at once: then `execute` it.
   */
  tryRead(sql: string, params: unknown[]): MaybePromise<unknown[][]> | undefined
  transaction<T>(work: () => Promise<T>): Promise<T>
  afterCommit(task: () => void): void
  stats(): StorageStats
  /** Runs `work` in one transaction that no other migrating process shares; for `migrate.ts`, before anything is served. */
  migrateAlone<T>(work: (database: MigratingDatabase) => Promise<T>): Promise<T>
  /** Column names of a table, none when there is no such table. */
  columnsOf(table: string): Promise<string[]>
  close(): Promise<void>
}

export interface MigratingDatabase {
  run: RunSql
  /**
   * Copies the database as it was before this transaction to a file beside it, private to its owner, and answers its
   * path; undefined where the server's own backups serve.
   */
  copyAside(label: string): Promise<string | undefined>
}

export type RunSql = (sql: string, params?: unknown[]) => Promise<unknown[][]>
