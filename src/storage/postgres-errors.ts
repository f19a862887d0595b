import { causes } from './conflicts.ts'
import { databaseBusy, databaseUnavailable } from './transaction.ts'

/** The SQLSTATE of a server error; undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  for (const { errno } of causes(error)) if (typeof errno === 'string' && /^[0-9A-Z]{5}$/.test(errno)) return errno
}

/** True for serialization_failure and deadlock_detected. The server has rolled back, and a retry may succeed. */
export const mayRetry = (error: unknown): boolean => /^40(001|P01)$/.test(sqlState(error) ?? '')

/** True for read_only_sql_transaction: a standby, a primary that was demoted, or a role that may not write. */
export const isReadOnly = (error: unknown): boolean => sqlState(error) === '25006'

/**
 * Turns an error into a 503 when the database is unavailable (connection lost, server stopping, disk full, read-only,
 * damaged, access denied) or a lock was not granted in time. An error in the statement itself is returned unchanged.
 */
export function asRefusal(error: unknown): unknown {
  const state = sqlState(error)
  if (state !== undefined) {
    if (/^(08|25006|25P03|28|3D|53|57P|58|XX)/.test(state)) return databaseUnavailable(error)
    return /^(40001|40P01|55P03|57014)$/.test(state) ? databaseBusy(error) : error
  }
  const code = String((error as { code?: unknown } | undefined)?.code ?? '')
  return /^(ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME|TLS|UNEXPECTED|INVALID_MESSAGE)|ECONN|ENOENT|ENOTFOUND|ETIMEDOUT|EPIPE)/.test(
    code,
  )
    ? databaseUnavailable(error)
    : error
}
