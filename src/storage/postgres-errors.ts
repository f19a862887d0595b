import { causes } from './conflicts.ts'
import { databaseBusy, databaseUnavailable } from './transaction.ts'

/** The SQLSTATE of a server error; undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  for (const { errno } of causes(error)) if (typeof errno === 'string' && /^[0-9A-Z]{5}$/.test(errno)) return errno
}

/**
 * True when the session lacks a prepared statement (26000), or has one of that name from another client (42P05). Behind
 * a pooler, clients share sessions.
 */
export const lostPrepared = (error: unknown): boolean => /^(42P05|26000)$/.test(sqlState(error) ?? '')

/**
 * True for serialization_failure, deadlock_detected and a lost prepared statement. The server has rolled back, and a
 * retry may succeed.
 */
export const mayRetry = (error: unknown): boolean => /^40(001|P01)$/.test(sqlState(error) ?? '') || lostPrepared(error)

/** True for read_only_sql_transaction: a standby, a primary that was demoted, or a role that may not write. */
export const isReadOnly = (error: unknown): boolean => sqlState(error) === '25006'

/**
 * Turns an error into a refusal with status 503 when the database is unavailable (connection or TLS lost, server
 * stopping, disk full, read-only, damaged, access denied, prepared statements lost behind a pooler) or busy (a
 * conflict, a lock that was not granted, a statement that took too long). Returns any other error unchanged.
 */
export function asRefusal(error: unknown): unknown {
  const state = sqlState(error)
  if (state !== undefined) {
    if (/^(08|25006|25P03|26000|28|3D|42P05|53|57P|58|XX)/.test(state)) return databaseUnavailable(error)
    return /^(40001|40P01|55P03|57014)$/.test(state) ? databaseBusy(error) : error
  }
  const code = String((error as { code?: unknown } | undefined)?.code ?? '')
  return isUnreachable(code) ? databaseUnavailable(error) : error
}

/**
 * True for the code of a failed connection: of the system such as `ECONNRESET`, of TLS such as `CERT_HAS_EXPIRED`
 * (OpenSSL's names have no common prefix), or of the driver. The codes `ERR_…` that the pattern lacks are faults of a
 * call of the driver.
 */
const isUnreachable = (code: string): boolean =>
  code.startsWith('ERR_')
    ? /^ERR_(TLS|SSL|OSSL|SOCKET|POSTGRES_(AUTHENTICATION|CONNECTION|IDLE|LIFETIME|TLS|UNEXPECTED|INVALID_MESSAGE))/.test(
        code,
      )
    : /^[A-Z][A-Z0-9_]+$/.test(code) || /^Connection/.test(code)
