import { Database } from 'bun:sqlite'
import { type CliResult, keyward } from '../support/cli.ts'
import { type Dialect, sqliteFile } from '../support/dialects.ts'

export type OldRow = Record<string, string | number | boolean | null>

export interface OldService {
  /** Its DATABASE_URL. */
  url: string
  insert(...rows: OldRow[]): Promise<void>
  execute(sql: string): Promise<void>
}

/** Imports a database whose address may have a password. */
export const importFrom = (from: string, databaseUrl: string, ...flags: string[]): Promise<CliResult> =>
  keyward(['import', '--from', 'OLD_DATABASE_URL', ...flags], { databaseUrl, env: { OLD_DATABASE_URL: from } })

/** The table of the SQLAlchemy service, with columns that such services often add. */
export const sqlalchemyTable = `CREATE TABLE users (
  id INTEGER NOT NULL PRIMARY KEY, email VARCHAR, username VARCHAR, hashed_password VARCHAR,
  is_active BOOLEAN, created_at TIMESTAMP, full_name VARCHAR)`

/** The table of the SQLModel service. */
export const sqlmodelTable =
  'CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR NOT NULL, email VARCHAR NOT NULL, hash_password VARCHAR NOT NULL)'

/** A table without constraints, for invalid accounts. */
export const looseTable =
  'CREATE TABLE users (id VARCHAR, email VARCHAR, username VARCHAR, hashed_password VARCHAR, is_active VARCHAR, created_at VARCHAR)'

/** A database of one of the two services, without accounts. */
export async function oldService(dialect: Dialect, table: string): Promise<OldService> {
  const { url } = await dialect.databaseUrl()
  const execute = dialect.name === 'sqlite' ? onSqlite(sqliteFile(url)) : onPostgres(url)
  await execute(table)
  return {
    url,
    execute,
    async insert(...rows) {
      const inserts = rows.map(
        (row) => `INSERT INTO users (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).map(literal)})`,
      )
      await execute(inserts.join(';'))
    },
  }
}

const literal = (value: OldRow[string]): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)

const onSqlite = (file: string) => async (sql: string) => {
  const db = new Database(file, { create: true })
  db.run(sql)
  db.close()
}

const onPostgres = (url: string) => async (sql: string) => {
  const server = new Bun.SQL(url, { max: 1 })
  try {
    await server.unsafe(sql)
  } finally {
    await server.close()
  }
}

/** A hash as passlib writes it, with the lowest bcrypt cost. */
export const bcryptHash = (password: string | Uint8Array): Promise<string> =>
  Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 })
