import { causes } from './conflicts.ts'
import { databaseBusy, databaseUnavailable } from './transaction.ts'

/** Returns the SQLSTATE of an error of the PostgreSQL server; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  for (const { errno } of causes(error)) if (typeof errno === 'string' && /^[0-9A-Z]{5}$/.test(errno)) return errno
}

/**
 * True when the server's session does not have a prepared statement (26000), or has another client's statement with the
 * same name (42P05). Both happen behind a pooler that lets several clients use one session.
 */
export const lostPrepared = (error: unknown): boolean => /^(42P05|26000)$/.test(sqlState(error) ?? '')

/**
 * True for serialization_failure (40001), deadlock_detected (40P01) and the errors of `lostPrepared`. The server has
 * rolled back the transaction, and a retry may succeed.
 */
export const mayRetry = (error: unknown): boolean => /^40(001|P01)$/.test(sqlState(error) ?? '') || lostPrepared(error)

/** True for read_only_sql_transaction (25006): a standby, or a database user with `default_transaction_read_only`. */
export const isReadOnly = (error: unknown): boolean => sqlState(error) === '25006'

/**
 * Turns an error of a statement into a refusal with status 503, and returns any other error unchanged.
 * - `database_unavailable`: no connection, a missing file for TLS, no access, server stopping, out of disk space, memory or connections,
 *   read-only, damaged, a transaction that was idle for too long, or prepared statements lost behind a pooler
 * - `database_busy`: a conflict, a lock that was not granted, or a statement that took too long
 */
export function asRefusal(error: unknown): unknown {
  const state = sqlState(error)
  if (state !== undefined) {
    if (/^(08|25006|25P03|26000|28|3D|42P05|53|57P|58|XX)/.test(state)) return databaseUnavailable(error)
    return /^(40001|40P01|55P03|57014)$/.test(state) ? databaseBusy(error) : error
  }
  const { code = '', message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return isUnreachable(String(code)) || lacksFile.test(String(message)) ? databaseUnavailable(error) : error
}

/** Matches Bun's error for a certificate or key file that is gone. The code of the error is `ERR_INVALID_ARG_TYPE`. */
const lacksFile = /^Unable to access (?:ca|cert|key)File path$/

/**
 * True for the code of a failed connection: of the system such as `ECONNRESET`, of TLS such as `CERT_HAS_EXPIRED`
 * (OpenSSL's names have no common prefix), or of the driver. Any other code `ERR_…` means that Keyward called the
 * driver in a wrong way.
 */
const isUnreachable = (code: string): boolean =>
  code.startsWith('ERR_')
    ? /^ERR_(TLS|SSL|OSSL|SOCKET|POSTGRES_(AUTHENTICATION|CONNECTION|IDLE|LIFETIME|TLS|UNEXPECTED|INVALID_MESSAGE))/.test(
        code,
      )
    : /^[A-Z][A-Z0-9_]+$/.test(code) || /^Connection/.test(code)
