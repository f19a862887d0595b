import { refusalIn } from '../errors.ts'
import { errorFields, type Log } from '../lib/log.ts'

/**
 * Starts a write that no answer depends on, such as a statistic, and does not wait for it. A database that takes no writes
 * (a full disk) drops it, so that reads go on. Call it outside of a transaction.
 */
export function writeAside(log: Pick<Log, 'error'>, write: () => Promise<unknown>): void {
  write().catch((error: unknown) => {
    if (refusalIn(error)?.status !== 503) log.error('write_aside_failed', errorFields(error))
  })
}
