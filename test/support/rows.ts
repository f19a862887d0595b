import { type AnyColumn, and, eq, getTableColumns, isNull } from 'drizzle-orm'
import type { Store } from '../../src/storage/store.ts'

type Tables = Store['t']
type Table = Tables[keyof Tables]

/** Direct access to one table's rows, past every rule: to check what a request stored, and to age or damage rows. */
export interface TableRows<Row, NewRow = Row> {
  /** The rows with these values, ordered by id if they have one. */
  all(where?: Partial<Row>): Promise<Row[]>
  /** The one row with these values. It is an error if there is none or more than one. */
  one(where?: Partial<Row>): Promise<Row>
  count(where?: Partial<Row>): Promise<number>
  change(where: Partial<Row>, values: Partial<Row>): Promise<void>
  add(...rows: NewRow[]): Promise<void>
  remove(where?: Partial<Row>): Promise<void>
}

export type Rows = {
  [Name in keyof Tables]: TableRows<Tables[Name]['$inferSelect'], Tables[Name]['$inferInsert']>
}

/** The rows of every table of a store, by the table's name in `src/storage/tables`. */
export function rowsOf({ q, t }: Pick<Store, 'q' | 't'>): Rows {
  const tables = Object.entries(t).map(([name, table]) => [name, rowsOfTable(q, table)])
  return Object.fromEntries(tables) as Rows
}

type Values = Record<string, unknown>

function rowsOfTable(q: Store['q'], table: Table): TableRows<Values> {
  const columns: Record<string, AnyColumn> = getTableColumns(table)
  const condition = (where: Values) =>
    and(
      ...Object.entries(where).map(([name, value]) => {
        const column = columns[name]
        if (column === undefined) throw new Error(`no column ${name}`)
        return value === null ? isNull(column) : eq(column, value)
      }),
    )
  const all = async (where: Values = {}): Promise<Values[]> => {
    const rows: Values[] = await q.select().from(table).where(condition(where))
    return typeof rows[0]?.id === 'number' ? rows.sort((a, b) => Number(a.id) - Number(b.id)) : rows
  }
  return {
    all,
    async one(where) {
      const found = await all(where)
      if (found.length !== 1) throw new Error(`${found.length} rows, not one, with ${JSON.stringify(where ?? {})}`)
      return found[0]!
    },
    count: async (where) => (await all(where)).length,
    async change(where, values) {
      await q.update(table).set(values).where(condition(where))
    },
    async add(...rows) {
      await q.insert(table).values(rows as never)
    },
    async remove(where = {}) {
      await q.delete(table).where(condition(where))
    },
  }
}
