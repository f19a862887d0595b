import { constants, Database } from 'bun:sqlite'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { DatabaseTarget } from '../../lib/database-url.ts'

/** The database of another program. It is read and never changed. */
export interface ForeignDatabase {
  /** Column names of a table, none when there is no such table. */
  columnsOf(table: string): Promise<string[]>
  /**
   * All rows of a table as they stand at one moment, in the order of the first column, every value as text: times in
   * the ISO order of their parts, those with a time zone in UTC.
   */
  readTexts(table: string, columns: readonly string[]): Promise<(string | null)[][]>
  close(): Promise<void>
}

/** The other database cannot be read or is none of the known services'. `message` is for a person. */
export class ForeignDatabaseError extends Error {
  override readonly name = 'ForeignDatabaseError'
}

/** How long to wait for a program that writes to the file, in milliseconds. */
const BUSY_WAIT = 5_000
/** How long to wait for a server to answer, in seconds. */
const CONNECT_WAIT = 10

/**
 * Opens a database of another program for reading alone: an SQLite file read-only, PostgreSQL in read-only transactions.
 * @throws ForeignDatabaseError when it is not there, is no database or refuses us; also from every call on it
 */
export async function openForeign(target: DatabaseTarget): Promise<ForeignDatabase> {
  const database =
    target.dialect === 'sqlite' ? await translated(async () => openFile(target.path)) : openServer(target.url)
  return {
    columnsOf: (table) => translated(() => database.columnsOf(table)),
    readTexts: (table, columns) => translated(() => database.readTexts(table, columns)),
    close: () => database.close(),
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
 * A file with a write-ahead log makes even a reader leave two more files beside it, unless it is told that nobody
 * writes. That is so when there is no log, since every program that has the file open keeps one.
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

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new ForeignDatabaseError(reasonOf(error), { cause: error })
  }
}

/** Of what a server says only its class is repeated: its sentences name users and hosts. */
function reasonOf(error: unknown): string {
  const { code, errno } = error as { code?: unknown; errno?: unknown }
  const word = String(typeof errno === 'string' ? errno : code)
  if (/^(ENOENT|SQLITE_CANTOPEN)/.test(word)) return 'The old database is not there: no such file'
  if (/^(EISDIR|SQLITE_NOTADB|SQLITE_CORRUPT)/.test(word)) return 'The old database is not an SQLite file'
  if (/^(EACCES|EPERM|SQLITE_READONLY)/.test(word)) return 'The old database may not be read by this user'
  if (/^SQLITE_BUSY/.test(word)) return 'The old database is locked by another program'
  if (/^28/.test(word)) return 'The old database refuses this user name or password'
  if (/^3D/.test(word)) return 'The old database is not there: the server has none of that name'
  if (/^42501/.test(word)) return 'The old database does not let this user read the accounts'
  if (/^ERR_POSTGRES_CONNECTION|^ECONN|^ENOTFOUND/.test(word)) return 'The old database does not answer; is it running?'
  return `The old database cannot be read (${word})`
}
