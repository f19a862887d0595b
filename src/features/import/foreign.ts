import { constants, Database } from 'bun:sqlite'
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { DatabaseTarget } from '../../lib/database-url.ts'
import { systemReason } from '../../lib/error-reasons.ts'
import { throwWithHost, UnknownHostError } from '../../lib/host.ts'
import type { PostgresAddress } from '../../lib/postgres-url.ts'
import { printable } from '../../lib/printable.ts'

/** The database of another program. No method changes this database. */
export interface ForeignDatabase {
  readonly dialect: 'sqlite' | 'postgresql'
  /**
   * The column names of a table; empty when there is no such table.
   * @param table on PostgreSQL with its schema and a dot before it, if the schema is not that of the connection
   */
  columnsOf(table: string): Promise<string[]>
  /** The number of rows of a table. */
  count(table: string): Promise<number>
  /**
   * Reads the rows of a SELECT in parts. All queries see the database as it was at the first of them. Each expression
   * becomes text or null. PostgreSQL times are in ISO format, and in UTC if they have a time zone.
   */
  readTexts(query: TextQuery): AsyncGenerator<(string | null)[][]>
  close(): Promise<void>
}

/** A SELECT, whose parts are SQL. */
export interface TextQuery {
  expressions: readonly string[]
  from: string
  orderBy: string
}

/** The old database cannot be read, or is not that of a FastAPI user service. `message` is for the terminal. */
export class ForeignDatabaseError extends Error {
  override readonly name = 'ForeignDatabaseError'
}

/** The longest wait for another program that has locked the SQLite file, in milliseconds. */
const BUSY_WAIT = 5_000
/** The longest wait for a connection to PostgreSQL, in seconds. */
const CONNECT_WAIT = 10
/** The number of rows that are read at a time. */
const PART = 1_000

/**
 * Opens the database of another program: an SQLite file read-only, PostgreSQL in a read-only transaction.
 * @throws ForeignDatabaseError when the database is missing, is not a database or refuses access. The methods throw
 *   this error too, because some of these problems show only at the first query
 */
export async function openForeign(target: DatabaseTarget): Promise<ForeignDatabase> {
  const translated = <T>(work: () => Promise<T>) => named(target, work)
  const connection = await translated(async () =>
    target.dialect === 'sqlite' ? openFile(target.path) : openServer(target),
  )
  const { columnNames, query, stream, close } = connection
  return {
    dialect: target.dialect,
    columnsOf: (table) =>
      translated(async () => (await query(columnNames, namesIn(table))).map(([name]) => String(name))),
    count: (table) =>
      translated(async () => Number((await query(`SELECT count(*) FROM ${quotedTable(table)}`, []))[0]![0])),
    async *readTexts({ expressions, from, orderBy }) {
      const texts = expressions.map((expression, at) => `CAST(${expression} AS TEXT) AS c${at}`).join(', ')
      const parts = stream(`SELECT ${texts} FROM ${from} ORDER BY ${orderBy}`)
      try {
        for (;;) {
          const { value, done } = await translated(() => parts.next())
          if (done) return
          yield value as (string | null)[][]
        }
      } finally {
        await parts.return(undefined)
      }
    },
    close,
  }
}

/** The name of a table, and of its schema. */
const namesIn = (table: string): [string, string | null] => {
  const [first = '', second] = table.split('.', 2)
  return second === undefined ? [first, null] : [second, first]
}

interface Connection {
  /** The SQL that returns the column names of a table, in their order. Its parameters are the table and the schema. */
  columnNames: string
  query(sql: string, params: (string | null)[]): Promise<unknown[][]>
  /** Reads the rows in parts of `PART`. */
  stream(sql: string): AsyncGenerator<unknown[][], void, undefined>
  close(): Promise<void>
}

function openFile(path: string): Connection {
  const db = connect(path)
  db.run(`PRAGMA busy_timeout = ${BUSY_WAIT}`)
  db.run('BEGIN')
  return {
    columnNames: 'SELECT name FROM pragma_table_info(?)',
    // SQLite has no schemas.
    async query(sql, params) {
      using statement = db.prepare(sql)
      return statement.values(...params.slice(0, 1))
    },
    async *stream(sql) {
      using statement = db.prepare(sql)
      let part: unknown[][] = []
      for (const row of statement.iterate()) {
        part.push(Object.values(row as object))
        if (part.length < PART) continue
        yield part
        part = []
      }
      if (part.length > 0) yield part
    },
    // A statement that is not finalized would keep the connection, and with it the lock on the file.
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
  const run = (text: string, params: (string | null)[] = []): Promise<unknown[][]> =>
    sql
      .unsafe(text, params)
      .values()
      .catch((error: unknown) => throwWithHost(error, host))
  let begun: Promise<unknown> | undefined
  const begin = () => {
    begun ??= run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      .then(() => run("SET LOCAL timezone = 'UTC'"))
      .then(() => run("SET LOCAL datestyle = 'ISO'"))
    return begun
  }
  return {
    // `to_regclass` would fail for a schema that this user may not see.
    columnNames: `SELECT attname::text FROM pg_attribute
      JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relname = $1 AND (nspname = $2 OR ($2::text IS NULL AND pg_table_is_visible(pg_class.oid)))
      AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    query: async (text, params) => {
      await begin()
      return run(text, params)
    },
    async *stream(text) {
      await begin()
      await run(`DECLARE keyward_rows NO SCROLL CURSOR FOR ${text}`)
      try {
        for (;;) {
          const part = await run(`FETCH ${PART} FROM keyward_rows`)
          if (part.length > 0) yield part
          if (part.length < PART) return
        }
      } finally {
        // After an error, the transaction refuses this too, and ends with the connection.
        await run('CLOSE keyward_rows').catch(() => {})
      }
    },
    close: () => sql.close({ timeout: 1 }),
  }
}

/** Writes the name of a column in SQL. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Writes the name of a table, perhaps with a schema before a dot, in SQL. */
export const quotedTable = (name: string): string => name.split('.').map(quoted).join('.')

/** Names the file in the message of an error; a server is not named, because its address may be a secret. */
async function named<T>(target: DatabaseTarget, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const reason = reasonOf(error)
    const file = target.dialect === 'sqlite' ? ` ${printable(target.path)}` : ''
    throw new ForeignDatabaseError(reason.replace('old database', `old database${file}`), { cause: error })
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
