import type { Clock } from '../lib/clock.ts'
import { attempt } from '../lib/maybe-promise.ts'
import type { Driver, Store } from './store.ts'

/** Wraps `execute` and `transaction` of the driver, and records when a statement last failed because of a full disk. */
export function watchSpace(
  driver: Pick<Driver, 'execute' | 'transaction'>,
  clock: Clock,
): Pick<Driver, 'execute' | 'transaction'> & Pick<Store, 'sinceFull'> {
  let fullAt = -Infinity
  const note = (error: unknown): never => {
    if (isOutOfSpace(error)) fullAt = clock.monotonic()
    throw error
  }
  return {
    execute: (sql, params, options) => attempt(() => driver.execute(sql, params, options), note),
    transaction: (work, options) => driver.transaction(work, options).catch(note),
    sinceFull: () => clock.monotonic() - fullAt,
  }
}

/** True for SQLite's codes of a full disk or quota, and for SQLSTATE 53100 (`disk_full`), which Bun puts in `errno`. */
function isOutOfSpace(error: unknown): boolean {
  const { code, errno, cause } = (error ?? {}) as { code?: unknown; errno?: unknown; cause?: unknown }
  if (/^SQLITE_(FULL|IOERR_(WRITE|SHMSIZE))/.test(String(code)) || errno === '53100') return true
  return cause !== undefined && isOutOfSpace(cause)
}
