import { lookup } from 'node:dns/promises'
import type { ReservedSQL } from 'bun'
import { MigrationError } from './migrate.ts'
import { sqlState } from './postgres-errors.ts'

/**
 * Checks what a statement cannot: whether the database stores every character, and whether a pooler gives the
 * connections of clients the same sessions in turn, as PgBouncer does with `pool_mode = transaction`.
 * @param connect opens at most two connections without prepared statements
 * @param host of the address; undefined for a socket
 * @throws MigrationError when the encoding is not UTF-8, or the system's error when the host has no address
 */
export async function inspectServer(
  connect: () => Bun.SQL,
  host: string | undefined,
): Promise<{ sharesSessions: boolean }> {
  const sql = connect()
  try {
    const first = await sql.reserve()
    const [[encoding, database]] = (await first
      .unsafe("SELECT current_setting('server_encoding'), current_database()")
      .values()) as [[string, string]]
    // SQL_ASCII stores any bytes unchanged.
    if (encoding !== 'UTF8' && encoding !== 'SQL_ASCII')
      throw new MigrationError(
        `The database ${database} has the encoding ${encoding}, which lacks characters of names: create it with ENCODING 'UTF8'.`,
      )
    return { sharesSessions: await shareSessions(first, sql) }
  } catch (error) {
    // The driver reports a host without an address as a refused connection.
    if (host !== undefined && sqlState(error) === undefined && /REFUSED|CLOSED/.test(String((error as { code?: unknown }).code)))
      await lookup(host)
    throw error
  } finally {
    await sql.close({ timeout: 0 })
  }
}

const pidOf = async (connection: ReservedSQL): Promise<number> =>
  ((await connection.unsafe('SELECT pg_backend_pid()').values()) as [[number]])[0][0]

/** True when two connections reached one session, or when one connection reached two sessions. */
async function shareSessions(first: ReservedSQL, sql: Bun.SQL): Promise<boolean> {
  const pid = await pidOf(first)
  const second = await sql.reserve().catch((error) => {
    // The server has no second connection for this user.
    if (sqlState(error)?.startsWith('53')) return undefined
    throw error
  })
  if (second === undefined) return false
  await second.unsafe('BEGIN')
  const other = await pidOf(second)
  // The first connection is not asked before this is known: with a single session it would wait for the transaction.
  if (other === pid) return true
  const again = await pidOf(first)
  await second.unsafe('ROLLBACK')
  return again !== pid
}
