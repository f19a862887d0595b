import { Database } from 'bun:sqlite'
import { readMigrations } from './migrations.macro.ts'

/**
 * Returns the statements that make what all migrations together make in a new SQLite file: its tables, indexes and rows.
 *
 * The bundler runs this macro when the executable is compiled: it applies the migrations to a database in memory and
 * reads the result. Many migrations rebuild tables of earlier ones, so a start with a new file spent a fifth of its time
 * on them: 21 ms for 162 statements, and 6 ms for these 102. A migration must therefore give a new file the same rows at
 * any time: no current time, and nothing random.
 */
export function newFileStatements(): string[] {
  const db = new Database(':memory:')
  for (const { sql } of readMigrations('sqlite')) db.run(sql)
  const read = (sql: string) => db.query(sql).values() as string[][]
  const objects = read(
    `SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid`,
  )
  const tables = objects.filter(([type]) => type === 'table').map(([, name]) => name!)
  const rows = tables.flatMap((table) => {
    const columns = read(`SELECT name FROM pragma_table_info('${table}')`).flat()
    const values = columns.map((column) => `quote("${column}")`).join(` || ', ' || `)
    return read(`SELECT ${values} FROM "${table}"`).map(([list]) => `INSERT INTO "${table}" VALUES (${list})`)
  })
  db.close()
  return [...objects.map(([, , sql]) => sql!), ...rows]
}
