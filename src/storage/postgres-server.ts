import { accessSync, constants } from 'node:fs'
import type { ReservedSQL } from 'bun'
import { throwWithHost } from '../lib/host.ts'
import type { PostgresAddress } from '../lib/postgres-url.ts'
import { MigrationError } from './migrate.ts'
import { sqlState } from './postgres-errors.ts'

/** What Keyward's connections may use. Both are true unless a pooler is in front of the server. */
export interface Session {
  /** True to use prepared statements. Where clients share a session, a statement may be another client's. */
  prepares: boolean
  /** True to send the time limits as parameters of a connection. A pooler refuses parameters that it does not know. */
  asksLimits: boolean
}

export interface Inspection extends Session {
  /** True when the server ends statements and idle transactions that take too long. */
  hasLimits: boolean
}

/**
 * Finds out whether the database stores every character, whether a pooler refuses the time limits, and whether a pooler
 * gives clients the same sessions in turn, as PgBouncer does with `pool_mode = transaction`.
 * @param connect makes a pool of at most two connections
 * @throws MigrationError when the encoding is neither UTF-8 nor SQL_ASCII, or a pooler allows no transactions
 * @throws UnknownHostError, the error of a file that cannot be read, or the error of the driver
 */
export async function inspectServer(
  connect: (session: Session) => Bun.SQL,
  { host, files }: Pick<PostgresAddress, 'host' | 'files'>,
): Promise<Inspection> {
  // The driver's error for a missing file does not name the file.
  for (const file of files) accessSync(file, constants.R_OK)
  try {
    return await inspect(connect, true).catch((error) => {
      // protocol_violation is the answer of PgBouncer to a parameter that it does not know.
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
    // SQL_ASCII stores any bytes unchanged.
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
 * How often `shareSessions` looks. One look is not enough: while other clients use the sessions of the pooler, each
 * connection may get its own session again by chance.
 */
const LOOKS = 3

const NO_TRANSACTIONS =
  'PostgreSQL at DATABASE_URL is behind a pooler that allows no transactions: set pool_mode = transaction there.'

const pidOf = async (connection: ReservedSQL): Promise<number> =>
  ((await connection.unsafe('SELECT pg_backend_pid()').values()) as [[number]])[0][0]

/** True when two connections reached one session, or when one connection reached two sessions. */
async function shareSessions(first: ReservedSQL, sql: Bun.SQL): Promise<boolean> {
  const pid = await pidOf(first)
  const second = await sql.reserve().catch((error) => {
    // The server has no second connection for this user, so there is nothing to compare.
    if (sqlState(error)?.startsWith('53')) return undefined
    throw error
  })
  if (second === undefined) return false
  for (let look = 0; look < LOOKS; look++) {
    await second.unsafe('BEGIN').catch((error) => {
      throw sqlState(error) === '08P01' ? new MigrationError(NO_TRANSACTIONS) : error
    })
    const other = await pidOf(second)
    // With a single session, a statement of the first connection would wait for the transaction.
    const again = other === pid ? undefined : await pidOf(first)
    await second.unsafe('ROLLBACK')
    if (again !== pid) return true
  }
  return false
}
