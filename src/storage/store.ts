import { type AnyColumn, Column, is, Param, Placeholder, SQL, sql } from 'drizzle-orm'
import type { SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
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
  readonly readDirect: Driver['readDirect']
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
  readDirect(sql: string, params: unknown[]): MaybePromise<unknown[][]> | undefined
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

/**
 * Statements that are built once per database and then only bound and run: building one costs ten times what
 * running it does. A `store.ts` calls this at its top and `prepared(db).name.execute({ … })` in its functions.
 */
export function statements<S>(build: (db: Db) => S): (db: Db) => S {
  const built = new WeakMap<Db['t'], S>()
  return (db) => {
    const known = built.get(db.t)
    if (known !== undefined) return known
    const fresh = build(db)
    built.set(db.t, fresh)
    return fresh
  }
}

/**
 * A parameter whose value SQLite does not look at when it plans. In a `LIMIT`, and in an equation where a statement joins
 * tables or finds several rows, a bare one makes it plan anew whenever it is bound, which takes ten times what the
 * statement itself does.
 */
export const unplanned = (name: string, type: 'text' | 'bigint'): SQL =>
  sql`cast(${sql.placeholder(name)} as ${sql.raw(type)})`

/** A prepared statement with what is needed to run it past Drizzle; see `read` and `run`. */
interface DirectStatement<Row> {
  sql: string
  bind(values: Record<string, unknown>): unknown[]
  toRow(raw: unknown[]): Row
}

interface PreparedStatement<Result> {
  execute(values: Record<string, unknown>): Promise<Result>
  getQuery(): { sql: string; params: unknown[] }
}

type RowOf<Result> = Result extends (infer Row)[] ? Row : never

/** What a statement answers, as Drizzle takes it; members of a group come as an object of their own. */
interface Fields {
  [name: string]: AnyColumn | SQL | Fields
}

/**
 * Makes a prepared statement that answers `fields` ready for `read` or `run`; of joins only inner ones. An SQL expression
 * among them comes as the driver gives it, from PostgreSQL a large number as text.
 */
export function direct<Result>(fields: Fields, statement: PreparedStatement<Result>): DirectStatement<RowOf<Result>> {
  const { sql, params } = statement.getQuery()
  const { fill } = reader(fields, 0)
  return { sql, bind: binder(params), toRow: (raw) => fill(raw) as RowOf<Result> }
}

/** Puts values in the places of a statement's parameters. */
function binder(params: unknown[]): (values: Record<string, unknown>) => unknown[] {
  const given = (values: Record<string, unknown>, name: string): unknown => {
    const value = values[name]
    if (value === undefined) throw new Error(`The statement was given no ${name}`)
    return value
  }
  const places = params.map((param): ((values: Record<string, unknown>) => unknown) => {
    if (is(param, Placeholder)) return (values) => given(values, param.name)
    if (!is(param, Param) || !is(param.value, Placeholder)) return () => param
    const { encoder, value: placeholder } = param
    return (values) => encoder.mapToDriverValue(given(values, placeholder.name))
  })
  return (values) => places.map((place) => place(values))
}

/** Reads `fields` out of a driver's row, of which they are the values from `start` on. */
function reader(fields: Fields, start: number): { end: number; fill: (raw: unknown[]) => unknown } {
  let end = start
  const members = Object.entries(fields).map(([name, field]) => {
    if (!is(field, Column) && !is(field, SQL)) {
      const group = reader(field, end)
      end = group.end
      return { name, read: group.fill }
    }
    const at = end++
    if (!is(field, Column) || field.mapFromDriverValue === Column.prototype.mapFromDriverValue)
      return { name, read: (raw: unknown[]) => raw[at] }
    return { name, read: (raw: unknown[]) => (raw[at] === null ? null : field.mapFromDriverValue(raw[at])) }
  })
  const fill = (raw: unknown[]) => {
    const row: Record<string, unknown> = {}
    for (const { name, read } of members) row[name] = read(raw)
    return row
  }
  return { end, fill }
}

/**
 * The rows of a prepared SELECT, as its `execute` answers them, but past the seven promises that Drizzle's proxy makes on
 * the way and its mapping of rows, which together cost more than the read. For what every request reads.
 */
export function read<Row>(
  db: Db,
  statement: DirectStatement<Row>,
  values: Record<string, unknown>,
): MaybePromise<Row[]> {
  const { sql, bind, toRow } = statement
  const rows = db.readDirect(sql, bind(values))
  return rows === undefined ? run(db, statement, values) : andThen(rows, (raw) => raw.map(toRow))
}

/** As `read`, for what every refresh and log-in writes. */
export async function run<Row>(
  { execute }: Db,
  { sql, bind, toRow }: DirectStatement<Row>,
  values: Record<string, unknown>,
): Promise<Row[]> {
  const { rows } = await execute(sql, bind(values))
  return rows.map(toRow)
}

/** As `run`, for a statement that answers nothing: how many rows it changed, which costs less than to return one. */
export async function change(
  { execute }: Db,
  { sql, bind }: DirectStatement<unknown>,
  values: Record<string, unknown>,
): Promise<number> {
  const { changes } = await execute(sql, bind(values))
  return changes
}
