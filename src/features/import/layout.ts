import { printable } from '../../lib/printable.ts'
import { type ForeignDatabase, ForeignDatabaseError, quoted, quotedTable, type TextQuery } from './foreign.ts'
import { betterAuth } from './formats/better-auth.ts'
import { django } from './formats/django.ts'
import { fastapi, fastapiUsers } from './formats/fastapi.ts'
import type { FactorTable, Field, Format, PasswordTable } from './formats/format.ts'
import { pocketbase } from './formats/pocketbase.ts'
import { supabase } from './formats/supabase.ts'

/** The tables of a service as they are in its database. */
export interface Layout {
  format: Format
  table: string
  /** The fields in the order of the values that `query` returns. */
  fields: Field[]
  query: TextQuery
  /** The columns of `table` that are not read. */
  ignored: string[]
  verifiedColumn: string | undefined
}

/** A table that has the columns of two formats is one of the first, which asks for more. */
const formats: readonly Format[] = [fastapiUsers, fastapi, pocketbase, supabase, betterAuth, django]

export const formatNames: readonly string[] = formats.map(({ name }) => name)

/**
 * Finds the table with the accounts, and its format unless `format` names one.
 * @throws ForeignDatabaseError when no format, or more than one, fits the tables
 */
export async function findLayout(
  database: ForeignDatabase,
  wanted: { format?: string | undefined; table?: string | undefined },
): Promise<Layout> {
  const asked = formats.filter(
    ({ name, dialects }) => name === (wanted.format ?? name) && dialects.includes(database.dialect),
  )
  const found: Layout[] = []
  for (const format of asked)
    for (const table of wanted.table === undefined ? format.tables : [wanted.table]) {
      const columns = await database.columnsOf(table)
      if (columns.includes('password_hash') && columns.includes('email_key'))
        throw new ForeignDatabaseError(
          'This database already belongs to Keyward: set it as DATABASE_URL and start Keyward',
        )
      const layout = await layoutOf(database, { format, table, columns })
      if (layout && !found.some((other) => other.table === table)) found.push(layout)
    }
  const [layout, other] = found
  if (layout === undefined) throw new ForeignDatabaseError(noTable(database, asked, wanted))
  if (other !== undefined)
    throw new ForeignDatabaseError(
      `The database has accounts of ${layout.format.title} in "${printable(layout.table)}" and of ${other.format.title} in "${printable(other.table)}": choose with --format ${layout.format.name} or --format ${other.format.name}, and --table`,
    )
  return layout
}

function noTable({ dialect }: ForeignDatabase, asked: readonly Format[], wanted: { format?: string; table?: string }) {
  const needs = asked.map(
    ({ title, tables, columns, required, marks = [] }) =>
      `${title} has a table "${wanted.table ?? tables[0]}" with ${[...required.map((field) => columns[field]!.join(' or ')), ...marks].join(', ')}`,
  )
  const kind = dialect === 'sqlite' ? 'SQLite' : 'PostgreSQL'
  if (needs.length === 0) return `Keyward does not read ${wanted.format} from a database of ${kind}`
  return `This is not the database of a user service that Keyward knows: ${needs.join('; ')}`
}

async function layoutOf(
  database: ForeignDatabase,
  { format, table, columns }: { format: Format; table: string; columns: readonly string[] },
): Promise<Layout | undefined> {
  const columnOf = (field: Field) => format.columns[field]?.find((name) => columns.includes(name))
  const { marks = [], required, passwords } = format
  if (required.some((field) => columnOf(field) === undefined)) return undefined
  if (marks.some((name) => !columns.includes(name))) return undefined
  const apart = passwords && (await passwordsIn(database, passwords))
  if (passwords && !apart) return undefined
  const factors = await factorsIn(database, format)
  const fields = (Object.keys(format.columns) as Field[]).filter((field) => columnOf(field) !== undefined)
  const used = new Set(fields.map(columnOf))
  const expressions = fields.map((field) => `accounts.${quoted(columnOf(field)!)}`)
  const id = `accounts.${quoted(columnOf('id')!)}`
  return {
    format,
    table,
    fields: [...fields, ...(apart ? ['hash' as const] : []), ...factors.map(({ field }) => field)],
    query: {
      expressions: [...expressions, ...(apart ? [apart.hash] : []), ...factors.map(({ rowsOf }) => rowsOf(id))],
      from: `${quotedTable(table)} AS accounts ${apart ? apart.joinedTo(id) : ''}`,
      orderBy: id,
    },
    ignored: columns.filter((name) => !used.has(name)),
    verifiedColumn: columnOf('verified'),
  }
}

/** Finds the table with the passwords. */
async function passwordsIn(database: ForeignDatabase, names: PasswordTable) {
  for (const table of names.tables) {
    const columns = await database.columnsOf(table)
    const [user, kind, hash] = [names.user, names.kind, names.hash].map((some) =>
      some.find((name) => columns.includes(name)),
    )
    if (user === undefined || kind === undefined || hash === undefined) continue
    return {
      hash: `passwords.${quoted(hash)}`,
      joinedTo: (id: string) =>
        `LEFT JOIN ${quotedTable(table)} AS passwords ON passwords.${quoted(user)} = ${id} AND passwords.${quoted(kind)} = '${names.kindOfPassword}'`,
    }
  }
}

interface FoundFactors {
  field: FactorTable['field']
  /** The SQL of a JSON list with the rows of the account whose id is the expression `id`. */
  rowsOf: (id: string) => string
}

/** Finds the tables with second factors that this database has. */
async function factorsIn(database: ForeignDatabase, { factors = [] }: Format): Promise<FoundFactors[]> {
  const found: FoundFactors[] = []
  for (const { field, tables, user, members, orderBy } of factors)
    for (const table of tables) {
      const columns = await database.columnsOf(table)
      const columnOf = (names: readonly string[]) => names.find((name) => columns.includes(name))
      const owner = columnOf(user)
      if (owner === undefined || found.some((one) => one.field === field)) continue
      const parts = Object.entries(members).flatMap(([member, names]) => {
        const column = columnOf(names)
        return column === undefined ? [] : [{ member, sql: `factors.${quoted(column)}` }]
      })
      const object = parts.map(({ member, sql }) => `'${member}', ${sql}`).join(', ')
      const order = parts.find(({ member }) => member === orderBy)?.sql ?? '1'
      const list =
        database.dialect === 'sqlite'
          ? `json_group_array(json_object(${object}) ORDER BY ${order})`
          : `json_agg(json_build_object(${object}) ORDER BY ${order})`
      found.push({
        field,
        rowsOf: (id) => `(SELECT ${list} FROM ${quotedTable(table)} AS factors WHERE factors.${quoted(owner)} = ${id})`,
      })
    }
  return found
}
