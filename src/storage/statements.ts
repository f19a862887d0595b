import { is, Param, Placeholder, type Query, type SQL, sql } from 'drizzle-orm'
import type { SelectResultFields } from 'drizzle-orm/query-builders/select.types'
import type { SQLiteColumn, SQLiteSelectBuilder } from 'drizzle-orm/sqlite-core'
import type { SqliteRemoteResult } from 'drizzle-orm/sqlite-proxy'
import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
import { rowDecoder } from './row-decoder.ts'
import type { Db, WriteOptions } from './store.ts'

/*
 * Prepared statements. Drizzle builds the SQL of each statement once per database, because this costs ten times as much
 * as running the statement. Each run calls the driver directly. Drizzle would make seven promises for each run, which
 * costs more than a read of SQLite.
 */

/** The columns and SQL expressions that a statement returns. Each key is the name of a value in the returned row. */
type FlatFields = Record<string, SQLiteColumn | SQL>

/** The fields of a SELECT. Each key is a name in the returned row. A group of fields becomes an object in the row. */
export type Fields = Record<string, SQLiteColumn | SQL | FlatFields>

type Values = Readonly<Record<string, unknown>>

interface Statement {
  readonly sql: string
  /** Returns the values of the parameters of `sql`, in order. @throws Error when a placeholder has no value */
  readonly bind: (values: Values) => unknown[]
}

interface RowStatement<Row, Kind> extends Statement {
  readonly kind: Kind
  readonly decode: (raw: unknown[]) => Row
}

type SelectStatement<Row> = RowStatement<Row, 'select'>
type LockingStatement<Row> = RowStatement<Row, 'locking'>
type ReturningStatement<Row> = RowStatement<Row, 'returning'>

interface ChangeStatement extends Statement {
  readonly kind: 'change'
}

type Select<F extends Fields> = SQLiteSelectBuilder<F, 'async', SqliteRemoteResult>

/**
 * A SELECT whose rows have exactly the types of its fields. A SELECT does not match this type if an outer join can make
 * one of its fields null.
 */
interface Selecting<F> extends PromiseLike<SelectResultFields<F>[]> {
  toSQL(): Query
}

/** An INSERT, UPDATE or DELETE without RETURNING. */
interface Changing {
  returning(fields: FlatFields): { toSQL(): Query }
  toSQL(): Query
}

/** Makes statements. `fields` decides what the SQL returns, how a row is decoded, and the type of a row. */
interface StatementKinds {
  select<F extends Fields>(
    fields: F,
    query: (select: Select<F>) => Selecting<F>,
  ): SelectStatement<SelectResultFields<F>>
  selectDistinct: StatementKinds['select']
  /**
   * Makes a SELECT that locks its rows until the transaction ends, also against their deletion. Other transactions then
   * wait before they change the rows. A row that changed while this statement waited is returned only if it still
   * matches. Run it only inside a transaction. On SQLite the transaction itself excludes all others, so nothing is
   * written: an UPDATE without effect would write a page of the file for each row.
   */
  locking<F extends Fields>(
    fields: F,
    query: (select: Select<F>) => Selecting<F>,
  ): LockingStatement<SelectResultFields<F>>
  /** Adds RETURNING to an INSERT, UPDATE or DELETE. The statement returns the changed rows. */
  returning<F extends FlatFields>(fields: F, query: Changing): ReturningStatement<SelectResultFields<F>>
  /** Makes a statement whose result is only the number of changed rows. This costs less than returning a row. */
  change(query: Changing): ChangeStatement
}

/**
 * Declares the prepared statements of a file.
 * @returns a function that returns the statements for a database; the first call for a database builds all of them
 * @example
 * const prepared = statements(({ q, t: { users } }, { select, change }) => ({
 *   nameOf: select({ name: users.username }, (q) => q.from(users).where(eq(users.id, named('id')))),
 *   remove: change(q.delete(users).where(eq(users.id, named('id')))),
 * }))
 * const [user] = await queryRows(db, prepared(db).nameOf, { id: 1 })
 */
export function statements<S>(build: (db: Db, kinds: StatementKinds) => S): (db: Db) => S {
  const built = new WeakMap<Db['t'], S>()
  return (db) => {
    const known = built.get(db.t)
    if (known !== undefined) return known
    const fresh = build(db, kindsFor(db))
    built.set(db.t, fresh)
    return fresh
  }
}

/**
 * Declares a statement whose SQL depends on a number, such as how many rows it inserts. Each size is built when it is
 * first used with a database. The caller has few different sizes.
 */
export function statementsBySize<S>(
  build: (db: Db, kinds: StatementKinds, size: number) => S,
): (db: Db, size: number) => S {
  const prepared = statements((_, kinds) => ({ kinds, bySize: new Map<number, S>() }))
  return (db, size) => {
    const { kinds, bySize } = prepared(db)
    const known = bySize.get(size)
    if (known !== undefined) return known
    const fresh = build(db, kinds, size)
    bySize.set(size, fresh)
    return fresh
  }
}

/** Makes a placeholder. Each run of the statement must give a value under `name`. The value can be null. */
export const named = (name: string): SQL => sql`${sql.placeholder(name)}`

const kindsFor = ({ q, dialect }: Db): StatementKinds => ({
  select: (fields, query) => rowStatement('select', fields, query(q.select(fields))),
  locking: (fields, query) => {
    const { sql, ...rest } = rowStatement('locking', fields, query(q.select(fields)))
    return { ...rest, sql: dialect === 'sqlite' ? sql : `${sql} for no key update` }
  },
  selectDistinct: (fields, query) => rowStatement('select', fields, query(q.selectDistinct(fields))),
  returning: (fields, query) => rowStatement('returning', fields, query.returning(fields)),
  change: (query) => ({ kind: 'change', ...statement(query) }),
})

const rowStatement = <Kind extends 'select' | 'locking' | 'returning', F extends Fields>(
  kind: Kind,
  fields: F,
  query: { toSQL(): Query },
) => ({ kind, ...statement(query), decode: rowDecoder<SelectResultFields<F>>(fields) })

function statement(query: { toSQL(): Query }): Statement {
  const { sql, params } = query.toSQL()
  return { sql, bind: binder(params) }
}

function binder(params: readonly unknown[]): Statement['bind'] {
  const places = params.map((param) => {
    if (is(param, Param)) throw new Error('A prepared statement has a placeholder that was not made by `named`')
    if (!is(param, Placeholder)) return () => param
    const { name } = param
    return (values: Values) => {
      const value = values[name]
      if (value === undefined) throw new Error(`The statement was given no ${name}`)
      return value
    }
  })
  return (values) => places.map((place) => place(values))
}

/**
 * Returns the rows of a SELECT in the fastest way, for frequent requests. Outside a transaction, SQLite returns the
 * rows without a promise unless another process has locked the file. PostgreSQL sends all runs of one SELECT in a turn
 * of the event loop together.
 * @throws KeywardError `database_busy`, `database_unavailable`; on SQLite the call itself may throw, without a promise
 */
export function readRows<Row>(db: Db, statement: SelectStatement<Row>, values: Values = {}): MaybePromise<Row[]> {
  const rows = db.tryRead(statement.sql, statement.bind(values))
  return rows === undefined ? queryRows(db, statement, values) : andThen(rows, (raw) => raw.map(statement.decode))
}

/**
 * Runs a SELECT, also a locking one, or a statement with RETURNING, and returns its rows.
 * @throws KeywardError `database_busy`, `database_unavailable`, or the driver's error, such as a violated constraint
 */
export async function queryRows<Row>(
  db: Db,
  statement: SelectStatement<Row> | LockingStatement<Row> | ReturningStatement<Row>,
  values: Values = {},
): Promise<Row[]> {
  const { rows } = await db.execute(statement.sql, statement.bind(values))
  return rows.map(statement.decode)
}

/**
 * Runs an INSERT, UPDATE or DELETE without RETURNING.
 * @param options ignored inside a transaction, which has its own
 * @returns the number of inserted, updated or deleted rows
 * @throws as `queryRows`
 */
export async function execute(
  db: Db,
  statement: ChangeStatement,
  values: Values = {},
  options?: WriteOptions,
): Promise<number> {
  const { changes } = await db.execute(statement.sql, statement.bind(values), options)
  return changes
}
