import { type Column, getTableColumns } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/sqlite-core'
import fc from 'fast-check'
import { sqliteColumns } from '../../src/storage/columns.ts'
import { allTables } from '../../src/storage/tables/all.ts'
import type { Rows } from '../support/rows.ts'

type Table = Parameters<typeof getTableConfig>[0]

const awkward = [
  '',
  ' ',
  '\n\t\r',
  '\u0001',
  `'"\\`,
  '{"a":[null]}',
  'null',
  '\\u0000',
  'ﷺ',
  '👩‍👩‍👧',
  'İıſẞ',
  '\u2028',
]
const texts = fc.oneof(fc.constantFrom(...awkward), fc.string({ unit: 'grapheme', maxLength: 40 }))
const numbers = fc.oneof(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER), fc.maxSafeNat())

/**
 * Adds random rows to every table, with values that only the database checks: long numbers, all kinds of text, and null
 * where a column takes it.
 * @returns the number of tables
 */
export async function addRandomRows(rows: Rows, { seed, count }: { seed: number; count: number }): Promise<number> {
  const tables = Object.entries(allTables(sqliteColumns))
  const pool = { texts: fc.sample(texts, { seed, numRuns: 500 }), numbers: fc.sample(numbers, { seed, numRuns: 500 }) }
  const made = new Map<string, readonly Record<string, unknown>[]>()
  for (const [at, [name, table]] of tables.entries()) {
    const values = valuesOf(table, { seed: seed + at, count, made, pool })
    made.set(getTableConfig(table).name, values)
    await (rows as unknown as Record<string, { add(...rows: unknown[]): Promise<void> }>)[name]!.add(...values)
  }
  return tables.length
}

interface Plan {
  seed: number
  count: number
  /** The rows of the tables before, to which rows refer, by the name of the table. */
  made: ReadonlyMap<string, readonly Record<string, unknown>[]>
  /** Values to draw from. In a unique column a suffix makes each value different. */
  pool: { texts: readonly string[]; numbers: readonly number[] }
}

function valuesOf(table: Table, { seed, count, made, pool }: Plan) {
  const { foreignKeys, indexes, primaryKeys } = getTableConfig(table)
  const references = new Map(
    foreignKeys.map((key) => {
      const { columns, foreignTable } = key.reference()
      return [columns[0]!.name, getTableConfig(foreignTable).name] as const
    }),
  )
  const unique = new Set([
    ...indexes.filter(({ config }) => config.unique).flatMap(({ config }) => config.columns.map(nameOf)),
    ...primaryKeys.flatMap(({ columns }) => columns.map(nameOf)),
  ])
  const columns = Object.entries<Column>(getTableColumns(table))
  const value = (column: Column, at: number, pick: number): unknown => {
    const target = references.get(column.name)
    // Each pair of a user and the role is different.
    if (target === 'roles') return 'admin'
    if (target !== undefined) return made.get(target)![at]!.id
    const isKey = column.primary || unique.has(column.name)
    if (!column.notNull && pick % 3 === 0) return null
    if (column.dataType === 'boolean') return pick % 2 === 0
    if (column.dataType === 'number') return isKey ? 1_000 + at * 7 : pool.numbers[pick % 500]
    return `${pool.texts[pick % 500]}${isKey ? `#${at}` : ''}`
  }
  const picks = fc.sample(fc.nat(), { seed, numRuns: count * columns.length })
  return Array.from({ length: count }, (_, at) =>
    Object.fromEntries(
      columns.map(([key, column], number) => [key, value(column, at, picks[at * columns.length + number]!)]),
    ),
  )
}

const nameOf = (column: object): string => (column as { name: string }).name
