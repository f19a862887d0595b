import { getTableConfig } from 'drizzle-orm/sqlite-core'
import { sqliteColumns } from './columns.ts'
import { allTables, processTables } from './tables/all.ts'

export interface CopiedColumn {
  name: string
  kind: 'text' | 'number' | 'boolean'
}

export interface CopiedTable {
  name: string
  columns: readonly CopiedColumn[]
  /** True when the database assigns the ids of new rows. */
  assignsIds: boolean
}

const kinds: Readonly<Record<string, CopiedColumn['kind']>> = { string: 'text', number: 'number', boolean: 'boolean' }

/**
 * The tables that a copy takes over: all of the schema but `processTables`. A table comes after the tables to which it
 * refers.
 */
export const copiedTables: readonly CopiedTable[] = inOrder().map(({ name, columns }) => ({
  name,
  columns: columns.map((column) => ({ name: column.name, kind: kinds[column.dataType]! })),
  assignsIds: columns.some((column) => 'autoIncrement' in column && column.autoIncrement === true),
}))

function inOrder() {
  const all = allTables(sqliteColumns)
  const left = Object.entries(all).filter(([key]) => !processTables.some((name) => name === key))
  const ordered = new Map<string, ReturnType<typeof getTableConfig>>()
  const add = (table: Parameters<typeof getTableConfig>[0]) => {
    const config = getTableConfig(table)
    if (ordered.has(config.name)) return
    for (const { reference } of config.foreignKeys) {
      const { foreignTable } = reference()
      if (foreignTable !== table) add(foreignTable)
    }
    ordered.set(config.name, config)
  }
  for (const [, table] of left) add(table)
  return [...ordered.values()]
}
