import { is, Param, Placeholder, type Query, type SQL, sql } from 'drizzle-orm'
import type { SelectResultFields } from 'drizzle-orm/query-builders/select.types'
import type { SQLiteColumn, SQLiteSelectBuilder } from 'drizzle-orm/sqlite-core'
import type { SqliteRemoteResult } from 'drizzle-orm/sqlite-proxy'
import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
import { rowDecoder } from './row-decoder.ts'
import type { Db, WriteOrigin } from './store.ts'

/*
 * Prepared statements. Drizzle writes their SQL once per database; after that they are bound and run without Drizzle.
 * Building a statement costs ten times as much as running it. The seven promises that Drizzle's proxy makes for each run,
 * together with its mapping of rows, cost more than a read.
 */

/** The columns and SQL expressions that a statement returns. */
type FlatFields = Record<string, SQLiteColumn | SQL>

/** The fields of a SELECT. A group of fields becomes an object inside the row. */
export type Fields = Record<string, SQLiteColumn | SQL | FlatFields>

type Values = Readonly<Record<string, unknown>>

interface Statement {
  readonly sql: string
  /** @throws Error when a placeholder has no value */
  readonly bind: (values: Values) => unknown[]
}

interface RowStatement<Row, Kind> extends Statement {
  readonly kind: Kind
  readonly decode: (raw: unknown[]) => Row
}

type SelectStatement<Row> = RowStatement<Row, 'select'>
type ReturningStatement<Row> = RowStatement<Row, 'returning'>

interface ChangeStatement extends Statement {
  readonly kind: 'change'
}

type Select<F extends Fields> = SQLiteSelectBuilder<F, 'async', SqliteRemoteResult>

/** A SELECT whose rows have exactly the types of its fields. An outer join, which makes some of them null, does not match. */
interface Selecting<F> extends PromiseLike<SelectResultFields<F>[]> {
  toSQL(): Query
}

/** An INSERT, UPDATE or DELETE without RETURNING. */
interface Changing {
  returning(fields: FlatFields): { toSQL(): Query }
  toSQL(): Query
}

/** Makes statements from fields and a query. The fields are named once: SQL, decoder and row type come from them. */
interface StatementKinds {
  select<F extends Fields>(
    fields: F,
    query: (select: Select<F>) => Selecting<F>,
  ): SelectStatement<SelectResultFields<F>>
  selectDistinct: StatementKinds['select']
  /** Adds RETURNING to a query that changes rows. */
  returning<F extends FlatFields>(fields: F, query: Changing): ReturningStatement<SelectResultFields<F>>
  /** A query of which only the number of changed rows is needed. Counting rows costs less than returning one. */
  change(query: Changing): ChangeStatement
}

/**
 * Declares the prepared statements of a `store.ts`. They are built at the first use with a database.
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
    const fresh = build(db, kindsFor(db.q))
    built.set(db.t, fresh)
    return fresh
  }
}

/** A placeholder, which gets its value when the statement runs. */
export const named = (name: string): SQL => sql`${sql.placeholder(name)}`

const kindsFor = (q: Db['q']): StatementKinds => ({
  select: (fields, query) => rowStatement('select', fields, query(q.select(fields))),
  selectDistinct: (fields, query) => rowStatement('select', fields, query(q.selectDistinct(fields))),
  returning: (fields, query) => rowStatement('returning', fields, query.returning(fields)),
  change: (query) => ({ kind: 'change', ...statement(query) }),
})

const rowStatement = <Kind extends 'select' | 'returning', F extends Fields>(
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
 * The rows of a SELECT for what every request reads: outside a transaction SQLite answers without a promise, and
 * PostgreSQL together with the other reads of this turn.
 */
export function readRows<Row>(db: Db, statement: SelectStatement<Row>, values: Values = {}): MaybePromise<Row[]> {
  const rows = db.tryRead(statement.sql, statement.bind(values))
  return rows === undefined ? queryRows(db, statement, values) : andThen(rows, (raw) => raw.map(statement.decode))
}

/** The rows of a SELECT or a RETURNING. */
export async function queryRows<Row>(
  db: Db,
  statement: SelectStatement<Row> | ReturningStatement<Row>,
  values: Values = {},
): Promise<Row[]> {
  const { rows } = await db.execute(statement.sql, statement.bind(values))
  return rows.map(statement.decode)
}

/**
 * @param origin as of `Store.transaction`, for a statement outside of a transaction
 * @returns how many rows were inserted, updated or deleted
 */
export async function execute(
  db: Db,
  statement: ChangeStatement,
  values: Values = {},
  origin?: WriteOrigin,
): Promise<number> {
  const { changes } = await db.execute(statement.sql, statement.bind(values), origin)
  return changes
}
