import { constants, Database } from 'bun:sqlite'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { DatabaseTarget } from '../../lib/database-url.ts'

/** The database of another program. It is only read. */
export interface ForeignDatabase {
  /** Column names of a table; none if the table does not exist. */
  columnsOf(table: string): Promise<string[]>
  /**
   * All rows of a table at one moment, ordered by the first column. Every value is text; times are in ISO 8601 order, and
   * those with a time zone in UTC.
   */
  readTexts(table: string, columns: readonly string[]): Promise<(string | null)[][]>
  close(): Promise<void>
}

/** The other database cannot be read, or belongs to no known service. `message` is for a person. */
export class ForeignDatabaseError extends Error {
  override readonly name = 'ForeignDatabaseError'
}

/** Milliseconds to wait for a program that writes to the file. */
const BUSY_WAIT = 5_000
/** Seconds to wait for the server's answer. */
const CONNECT_WAIT = 10

/**
 * Runs `read` on a database of another program: an SQLite file opened read-only, or PostgreSQL in read-only transactions.
 * @throws ForeignDatabaseError if it is missing, is no database, or refuses us
 */
export async function readForeign<T>(
  target: DatabaseTarget,
  read: (database: ForeignDatabase) => Promise<T>,
): Promise<T> {
  try {
    const database = target.dialect === 'sqlite' ? openFile(target.path) : openServer(target.url)
    try {
      return await read(database)
    } finally {
      await database.close()
    }
  } catch (error) {
    if (error instanceof ForeignDatabaseError) throw error
    throw new ForeignDatabaseError(reasonOf(error), { cause: error })
  }
}

function openFile(path: string): ForeignDatabase {
  const db = connect(path)
  db.run(`PRAGMA busy_timeout = ${BUSY_WAIT}`)
  return {
    columnsOf: async (table) =>
      db
        .query('SELECT name FROM pragma_table_info(?)')
        .values(table)
        .map(([name]) => String(name)),
    async readTexts(table, columns) {
      const texts = columns.map((column) => `CAST(${quoted(column)} AS TEXT)`).join(', ')
      const sql = `SELECT ${texts} FROM ${quoted(table)} ORDER BY ${quoted(columns[0]!)}`
      return db.prepare(sql).values() as (string | null)[][]
    },
    close: async () => db.close(),
  }
}

/**
 * Even a reader of a file with a write-ahead log creates two files beside it, unless it opens the file as immutable. That
 * is safe if there is no log: a program that has the file open keeps one.
 */
function connect(path: string): Database {
  if (!usesWriteAheadLog(path) || existsSync(`${path}-wal`)) return new Database(path, { readonly: true })
  const { SQLITE_OPEN_READONLY, SQLITE_OPEN_URI } = constants
  return new Database(`${pathToFileURL(path).href}?immutable=1`, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
}

/** Bytes 18 and 19 of the header are 2 for a write-ahead log and 1 for a rollback journal. */
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

function openServer(url: string): ForeignDatabase {
  const sql = new Bun.SQL(url, {
    max: 1,
    connectionTimeout: CONNECT_WAIT,
    connection: { application_name: 'keyward import' },
  })
  const read = (text: string, params: unknown[]) =>
    sql.begin('READ ONLY', async (transaction) => {
      await transaction.unsafe("SET LOCAL timezone = 'UTC'")
      await transaction.unsafe("SET LOCAL datestyle = 'ISO'")
      return transaction.unsafe(text, params).values()
    }) as Promise<unknown[][]>
  return {
    async columnsOf(table) {
      const rows = await read(
        'SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum',
        [quoted(table)],
      )
      return rows.map(([name]) => String(name))
    },
    async readTexts(table, columns) {
      const texts = columns.map((column) => `${quoted(column)}::text`).join(', ')
      return (await read(`SELECT ${texts} FROM ${quoted(table)} ORDER BY ${quoted(columns[0]!)}`, [])) as (
        | string
        | null
      )[][]
    },
    close: () => sql.close({ timeout: 1 }),
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Shows only the class of a server's error: its sentences name users and hosts. */
function reasonOf(error: unknown): string {
  const { code, errno } = error as { code?: unknown; errno?: unknown }
  const word = String(typeof errno === 'string' ? errno : code)
  if (/^(ENOENT|SQLITE_CANTOPEN)/.test(word)) return 'The old database is not there: no such file'
  if (/^(EISDIR|SQLITE_NOTADB|SQLITE_CORRUPT)/.test(word)) return 'The old database is not an SQLite file'
  if (/^(EACCES|EPERM|SQLITE_READONLY)/.test(word)) return 'The old database may not be read by this user'
  if (/^SQLITE_BUSY/.test(word)) return 'The old database is locked by another program'
  if (/^28/.test(word)) return 'The old database refuses this user name or password'
  if (/^3D/.test(word)) return 'The old database is not there: the server has none of this name'
  if (/^42501/.test(word)) return 'The old database does not let this user read the accounts'
  if (/^ERR_POSTGRES_CONNECTION|^ECONN|^ENOTFOUND/.test(word)) return 'The old database does not answer; is it running?'
  return `The old database cannot be read (${word})`
}
