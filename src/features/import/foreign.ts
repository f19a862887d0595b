import { constants, Database } from 'bun:sqlite'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { DatabaseTarget } from '../../lib/database-url.ts'
import { systemReason } from '../../lib/error-reasons.ts'
import { throwWithHost, UnknownHostError } from '../../lib/host.ts'
import type { PostgresAddress } from '../../lib/postgres-url.ts'

/** The database of another program. No method changes this database. */
export interface ForeignDatabase {
  /** The column names of a table; empty when there is no such table. */
  columnsOf(table: string): Promise<string[]>
  /**
   * All rows of a table in one snapshot, ordered by the first of the `columns`. Every value is text or null. PostgreSQL
   * times are in ISO format, and in UTC if they have a time zone.
   */
  readTexts(table: string, columns: readonly string[]): Promise<(string | null)[][]>
  close(): Promise<void>
}

/** The old database cannot be read, or is not that of a FastAPI user service. `message` is for the terminal. */
export class ForeignDatabaseError extends Error {
  override readonly name = 'ForeignDatabaseError'
}

/** The longest wait for another program that has locked the SQLite file, in milliseconds. */
const BUSY_WAIT = 5_000
/** The longest wait for a connection to PostgreSQL, in seconds. */
const CONNECT_WAIT = 10

/**
 * Opens the database of another program: an SQLite file read-only, PostgreSQL in read-only transactions.
 * @throws ForeignDatabaseError when the database is missing, is not a database or refuses access. `columnsOf` and
 *   `readTexts` throw this error too, because some of these problems show only at the first query
 */
export async function openForeign(target: DatabaseTarget): Promise<ForeignDatabase> {
  const { columnNames, query, close } = await translated(async () =>
    target.dialect === 'sqlite' ? openFile(target.path) : openServer(target),
  )
  return {
    columnsOf: (table) => translated(async () => (await query(columnNames, [table])).map(([name]) => String(name))),
    readTexts(table, columns) {
      const texts = columns.map((column) => `CAST(${quoted(column)} AS TEXT)`).join(', ')
      const sql = `SELECT ${texts} FROM ${quoted(table)} ORDER BY ${quoted(columns[0]!)}`
      return translated(() => query(sql, []) as Promise<(string | null)[][]>)
    },
    close,
  }
}

interface Connection {
  /** The SQL that returns the column names of a table, in their order. Its parameter is the name of the table. */
  columnNames: string
  query(sql: string, params: string[]): Promise<unknown[][]>
  close(): Promise<void>
}

function openFile(path: string): Connection {
  const db = connect(path)
  db.run(`PRAGMA busy_timeout = ${BUSY_WAIT}`)
  return {
    columnNames: 'SELECT name FROM pragma_table_info(?)',
    query: async (sql, params) => db.prepare(sql).values(...params),
    close: async () => db.close(),
  }
}

/**
 * Opens the file read-only. In write-ahead mode even a reader creates two files beside the database, except with
 * `immutable=1`. The option `immutable=1` is safe only while no program writes. No program writes when the file `-wal`
 * beside the database is missing, because every program creates this file before it writes.
 */
function connect(path: string): Database {
  if (!usesWriteAheadLog(path) || existsSync(`${path}-wal`)) return new Database(path, { readonly: true })
  const { SQLITE_OPEN_READONLY, SQLITE_OPEN_URI } = constants
  return new Database(`${pathToFileURL(path).href}?immutable=1`, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
}

/** Returns true in write-ahead mode: bytes 18 and 19 of the header are then 2. With a rollback journal they are 1. */
function usesWriteAheadLog(path: string): boolean {
  const header = Buffer.alloc(20)
  const file = openSync(path, 'r')
  try {
    readSync(file, header, 0, header.length, 0)
  } finally {
    closeSync(file)
  }
  return header[18] === 2
}

function openServer({ url, host, database }: PostgresAddress): Connection {
  const sql = new Bun.SQL(url, {
    max: 1,
    ...(database === undefined ? {} : { database }),
    // A pooler such as PgBouncer can send each transaction of a client to another session of PostgreSQL. A named
    // statement exists in one session only.
    prepare: false,
    connectionTimeout: CONNECT_WAIT,
    connection: { application_name: 'keyward import' },
  })
  return {
    columnNames:
      'SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum',
    query: (text, params) =>
      sql
        .begin('READ ONLY', async (transaction) => {
          await transaction.unsafe("SET LOCAL timezone = 'UTC'")
          await transaction.unsafe("SET LOCAL datestyle = 'ISO'")
          return transaction.unsafe(text, params).values()
        })
        .catch((error) => throwWithHost(error, host)),
    close: () => sql.close({ timeout: 1 }),
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new ForeignDatabaseError(reasonOf(error), { cause: error })
  }
}

/** Explains an error for the terminal. Shows no message of a server, because these messages name users and hosts. */
function reasonOf(error: unknown): string {
  if (error instanceof UnknownHostError) return error.message
  const { code, errno } = error as { code?: unknown; errno?: unknown }
  const word = String(typeof errno === 'string' ? errno : code)
  if (/^(ENOENT|SQLITE_CANTOPEN)/.test(word)) return 'The old database does not exist: no such file'
  if (/^(EISDIR|SQLITE_NOTADB|SQLITE_CORRUPT)/.test(word)) return 'The old database is not an SQLite file'
  if (/^(EACCES|EPERM|SQLITE_READONLY)/.test(word)) return 'This user has no permission to read the old database'
  if (/^SQLITE_BUSY/.test(word)) return 'The old database is locked by another program'
  if (/^28/.test(word)) return 'The old database refuses this username or password'
  if (/^3D/.test(word)) return 'The old database does not exist: the server has no database of that name'
  if (/^42501/.test(word)) return 'The old database does not allow this user to read the accounts'
  if (/^ERR_POSTGRES_CONNECTION|^ECONN|^ENOTFOUND/.test(word)) return 'The old database does not answer; is it running?'
  return `The old database cannot be read${/^E[A-Z]+$/.test(word) ? `: ${systemReason(word)}` : ''} (${word})`
}
