import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Journal {
  entries: { tag: string }[]
}

/**
 * Reads the migrations of one dialect from `drizzle/`. The bundler runs this macro when the executable is compiled, so
 * the executable contains the SQL.
 */
export function readMigrations(dialect: 'sqlite' | 'postgresql'): { name: string; sql: string }[] {
  const folder = join(import.meta.dir, '../../drizzle', dialect)
  const journal = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as Journal
  return journal.entries.map(({ tag }) => ({ name: tag, sql: readFileSync(join(folder, `${tag}.sql`), 'utf8') }))
}
