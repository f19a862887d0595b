import { toBase64Url } from '../lib/encoding.ts'
import { sha256 } from '../lib/hash.ts'
import type { CopiedColumn, CopiedTable } from './copied-tables.ts'
import { CopyError } from './copy-error.ts'
import type { RunSql, Store } from './store.ts'

/* How a copy reads and writes the rows of a table. A row has the same values on both databases. */

/** The values of a row in the order of `CopiedTable.columns`. */
export type Row = (string | number | boolean | null)[]

/** The most rows that are in memory at a time. */
const ROWS = 500

/** The tables of a database, inside a transaction. */
export interface CopySide {
  count(table: CopiedTable): Promise<number>
  /** Reads all rows, in no certain order, in parts of at most `ROWS`. */
  read(table: CopiedTable): AsyncGenerator<Row[]>
  write(table: CopiedTable, rows: readonly Row[]): Promise<void>
  /** Returns the highest id that the database has assigned or holds; 0 for none. */
  highestId(table: CopiedTable): Promise<number>
  /** Makes the database assign only higher ids than `id`. */
  continueAfter(table: CopiedTable, id: number): Promise<void>
}

export const sideOf = (dialect: Store['dialect'], run: RunSql): CopySide =>
  dialect === 'sqlite' ? sqliteSide(run) : postgresSide(run)

function sqliteSide(run: RunSql): CopySide {
  return {
    count: countWith(run),
    async *read({ name, columns }) {
      const sql = `SELECT rowid, ${listOf(columns)} FROM "${name}" WHERE rowid > ? ORDER BY rowid LIMIT ${ROWS}`
      for (let last: unknown = Number.MIN_SAFE_INTEGER; ; ) {
        const found = await run(sql, [last])
        if (found.length > 0) yield found.map(([, ...values]) => rowOf(name, columns, values))
        if (found.length < ROWS) return
        last = found.at(-1)![0]
      }
    },
    async write({ name, columns }, rows) {
      const sql = `INSERT INTO "${name}" (${listOf(columns)}) VALUES (${columns.map(() => '?').join(', ')})`
      for (const row of rows) await run(sql, row)
    },
    async highestId({ name }) {
      const [row] = await run(
        `SELECT max(coalesce((SELECT max(id) FROM "${name}"), 0), coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0))`,
        [name],
      )
      return Number(row?.[0])
    },
    async continueAfter({ name }, id) {
      await run('DELETE FROM sqlite_sequence WHERE name = ?', [name])
      if (id > 0) await run('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', [name, id])
    },
  }
}

function postgresSide(run: RunSql): CopySide {
  const sequenceOf = (table: string) => `pg_get_serial_sequence('"${table}"', 'id')::regclass`
  return {
    count: countWith(run),
    async *read({ name, columns }) {
      await run(`DECLARE copied NO SCROLL CURSOR FOR SELECT ${listOf(columns)} FROM "${name}"`)
      for (let found: unknown[][]; ; ) {
        found = await run(`FETCH ${ROWS} FROM copied`)
        if (found.length > 0) yield found.map((values) => rowOf(name, columns, values))
        if (found.length < ROWS) break
      }
      await run('CLOSE copied')
    },
    async write({ name, columns }, rows) {
      // All rows are one parameter, because a statement takes at most 65,535 of them.
      const objects = rows.map((row) => Object.fromEntries(columns.map(({ name: column }, at) => [column, row[at]])))
      const typed = columns.map(({ name: column, kind }) => `"${column}" ${postgresTypes[kind]}`).join(', ')
      await run(
        `INSERT INTO "${name}" (${listOf(columns)}) SELECT ${listOf(columns)} FROM json_to_recordset($1::text::json) AS copied(${typed})`,
        [JSON.stringify(objects)],
      )
    },
    async highestId({ name }) {
      const [row] = await run(
        `SELECT greatest((SELECT max(id) FROM "${name}"), pg_sequence_last_value(${sequenceOf(name)}), 0)`,
      )
      return Number(row?.[0])
    },
    async continueAfter({ name }, id) {
      if (id > 0) await run(`SELECT setval(${sequenceOf(name)}, $1::bigint)`, [id])
    },
  }
}

const postgresTypes: Record<CopiedColumn['kind'], string> = { text: 'text', number: 'bigint', boolean: 'boolean' }

const countWith =
  (run: RunSql): CopySide['count'] =>
  async ({ name }) =>
    Number((await run(`SELECT count(*) FROM "${name}"`))[0]?.[0])

const listOf = (columns: readonly CopiedColumn[]): string => columns.map(({ name }) => `"${name}"`).join(', ')

const rowOf = (table: string, columns: readonly CopiedColumn[], values: readonly unknown[]): Row =>
  columns.map(({ name, kind }, at) => {
    const value = values[at] ?? null
    const read = value === null ? null : readers[kind](value)
    if (read !== undefined) return read
    throw new CopyError(`A row of ${table} has no ${kind} in the column ${name}. Nothing was copied.`)
  })

const readers: Record<CopiedColumn['kind'], (value: unknown) => Row[number] | undefined> = {
  text: (value) => (typeof value === 'string' ? value : undefined),
  number(value) {
    const number = typeof value === 'string' && !/^-?\d+$/.test(value) ? Number.NaN : Number(value)
    return Number.isSafeInteger(number) ? number : undefined
  },
  boolean: (value) => (value === true || value === 1 ? true : value === false || value === 0 ? false : undefined),
}

/** The SHA-256 of each row, combined by XOR, so that it does not depend on the order of the rows. */
export class Digest {
  rows = 0
  readonly #sum = new Uint8Array(32)

  add(rows: readonly Row[]): void {
    this.rows += rows.length
    for (const row of rows) {
      const hash = sha256(JSON.stringify(row))
      for (let at = 0; at < 32; at++) this.#sum[at]! ^= hash[at]!
    }
  }

  text(): string {
    return toBase64Url(this.#sum)
  }
}
