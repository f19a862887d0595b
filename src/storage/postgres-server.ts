import { accessSync, constants } from 'node:fs'
import type { ReservedSQL } from 'bun'
import { throwWithHost } from '../lib/host.ts'
import type { PostgresAddress } from '../lib/postgres-url.ts'
import { MigrationError } from './migrate.ts'
import { sqlState } from './postgres-errors.ts'

/** Features of PostgreSQL's connections. Each is true if Keyward may use it; false if a pooler does not support it. */
export interface Session {
  /** Use prepared statements. A pooler that lets clients share sessions may mix up the statements of these clients. */
  prepares: boolean
  /** Send the time limits as connection parameters. A pooler may refuse a connection with parameters unknown to it. */
  asksLimits: boolean
}

export interface Inspection extends Session {
  /** True when the server has time limits for statements and for idle transactions. */
  hasLimits: boolean
}

/**
 * Checks that the database stores every character. Finds out whether a pooler refuses the time limits, and whether a
 * pooler lets clients share sessions, as PgBouncer does with `pool_mode = transaction`.
 * @param connect makes a pool of at most two connections
 * @param address.files the certificate and key files for TLS
 * @throws MigrationError when the encoding is neither UTF-8 nor SQL_ASCII, or a pooler allows no transactions
 * @throws UnknownHostError, the system's error for a file that cannot be read, or the error of the driver
 */
export async function inspectServer(
  connect: (session: Session) => Bun.SQL,
  { host, files }: Pick<PostgresAddress, 'host' | 'files'>,
): Promise<Inspection> {
  // The files are opened here, because the driver's error for a missing file does not name the file.
  for (const file of files) accessSync(file, constants.R_OK)
  try {
    return await inspect(connect, true).catch((error) => {
      // 08P01 is protocol_violation, with which PgBouncer refuses a connection parameter that it does not know.
      if (sqlState(error) !== '08P01') throw error
      return inspect(connect, false)
    })
  } catch (error) {
    return throwWithHost(error, host)
  }
}

async function inspect(connect: (session: Session) => Bun.SQL, asksLimits: boolean): Promise<Inspection> {
  const sql = connect({ prepares: false, asksLimits })
  try {
    const first = await sql.reserve()
    const [facts] = (await first
      .unsafe(
        `SELECT current_setting('server_encoding'), current_database(),
        '0' NOT IN (current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'))`,
      )
      .values()) as [[string, string, boolean]]
    const [encoding, database, hasLimits] = facts
    // SQL_ASCII is accepted, because the server then stores all bytes unchanged.
    if (encoding !== 'UTF8' && encoding !== 'SQL_ASCII')
      throw new MigrationError(
        `The database ${JSON.stringify(database)} has the encoding ${encoding}, which lacks characters of names: create it with ENCODING 'UTF8'.`,
      )
    return { asksLimits, hasLimits, prepares: !(await shareSessions(first, sql)) }
  } finally {
    await sql.close({ timeout: 0 })
  }
}

/**
 * How many times `shareSessions` compares two connections. One comparison is not enough: while other clients use the
 * pooler, a connection may get the same session twice by chance.
 */
const LOOKS = 3

const NO_TRANSACTIONS =
  'PostgreSQL at DATABASE_URL is behind a pooler that allows no transactions: set pool_mode = transaction there.'

const pidOf = async (connection: ReservedSQL): Promise<number> =>
  ((await connection.unsafe('SELECT pg_backend_pid()').values()) as [[number]])[0][0]

/** Returns true when two connections reached the same session, or when one connection reached two sessions. */
async function shareSessions(first: ReservedSQL, sql: Bun.SQL): Promise<boolean> {
  const pid = await pidOf(first)
  const second = await sql.reserve().catch((error) => {
    // The server refuses a second connection of this database user, so there is nothing to compare.
    if (sqlState(error)?.startsWith('53')) return undefined
    throw error
  })
  if (second === undefined) return false
  for (let look = 0; look < LOOKS; look++) {
    await second.unsafe('BEGIN').catch((error) => {
      throw sqlState(error) === '08P01' ? new MigrationError(NO_TRANSACTIONS) : error
    })
    const other = await pidOf(second)
    // When `second` uses the session of `first`, a statement of `first` would wait for the transaction of `second`.
    const again = other === pid ? undefined : await pidOf(first)
    await second.unsafe('ROLLBACK')
    if (again !== pid) return true
  }
  return false
}
