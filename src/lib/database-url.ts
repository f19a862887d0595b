import { AddressProblem, type PostgresAddress, readPostgresUrl } from './postgres-url.ts'

/** The parsed address of a database. `shown` is the address for printing and logs, with asterisks for the password. */
export type DatabaseTarget =
  | { dialect: 'sqlite'; path: string; shown: string }
  | ({ dialect: 'postgresql' } & PostgresAddress)

/**
 * Parses a `DATABASE_URL` in the spellings of SQLAlchemy and libpq.
 *
 * SQLite: `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite::memory:`, also with `sqlite+aiosqlite:` or
 * `sqlite+pysqlite:`. `path` is relative to the working directory, or is `:memory:`. Arguments of Python's driver in
 * the query are dropped. PostgreSQL: `postgres://` and `postgresql://`, also with a driver of SQLAlchemy such as
 * `+psycopg` or `+asyncpg`. A reserved character in the password must be percent-encoded.
 * @returns undefined for any other text, and for an address with a problem that `databaseUrlProblem` explains
 */
export function parseDatabaseUrl(text: string): DatabaseTarget | undefined {
  const target = read(text)
  return target instanceof AddressProblem ? undefined : target
}

/**
 * Returns the reason why Keyward refuses the address of a database, as a clause that follows the address in a sentence.
 * @returns undefined for an accepted address, and for text that is not the address of a database
 */
export function databaseUrlProblem(text: string): string | undefined {
  const target = read(text)
  return target instanceof AddressProblem ? target.clause : undefined
}

/**
 * Returns `DatabaseTarget.shown` of an address that `parseDatabaseUrl` accepts. For any other text, returns the scheme
 * and asterisks, because a password may be anywhere in the text.
 */
export const maskDatabaseUrl = (text: string): string =>
  parseDatabaseUrl(text)?.shown ?? `${/^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0] ?? ''}********`

function read(text: string): DatabaseTarget | AddressProblem | undefined {
  const [, memory, file, query] =
    /^sqlite(?:\+(?:aiosqlite|pysqlite))?:(?:(:memory:)|\/\/\/(?!file:)([^?]*[^?/]))(?:\?(.*))?$/i.exec(text) ?? []
  const path = memory ?? file
  if (path !== undefined) return sqliteProblem(query) ?? { dialect: 'sqlite', path, shown: text }
  const [, driver, address] = /^postgres(?:ql)?(?:\+(\w+))?:\/\/(\S+)$/i.exec(text) ?? []
  if (address === undefined || (driver && !drivers.includes(driver.toLowerCase()))) return undefined
  const postgres = readPostgresUrl(address)
  return postgres && !(postgres instanceof AddressProblem) ? { dialect: 'postgresql', ...postgres } : postgres
}

/** SQLAlchemy's names of PostgreSQL drivers, which may follow a `+` in the scheme. */
const drivers = ['psycopg', 'psycopg2', 'psycopg2cffi', 'psycopg_async', 'asyncpg', 'pg8000']

/** Arguments of Python's `sqlite3.connect` that change nothing for Keyward. */
const pythonArguments = [
  'timeout',
  'check_same_thread',
  'isolation_level',
  'detect_types',
  'cached_statements',
  'autocommit',
]

function sqliteProblem(query = ''): AddressProblem | undefined {
  const unknown = [...new URLSearchParams(query).keys()].find((name) => !pythonArguments.includes(name))
  if (unknown === undefined) return undefined
  return new AddressProblem(`with the parameter ${JSON.stringify(unknown.slice(0, 40))}, which Keyward does not take`)
}
