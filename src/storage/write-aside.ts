import { refusalIn } from '../errors.ts'
import { errorFields, type Log } from '../lib/log.ts'

/**
 * Starts a write on which no answer depends, such as a statistic, and does not wait for the write. Thus requests that
 * only read still succeed while the database refuses writes (a full disk). A refusal with status 503 is ignored; any
 * other error is logged. Call `writeAside` outside a transaction, because a failed write fails its whole transaction.
 */
export function writeAside(log: Pick<Log, 'error'>, write: () => Promise<unknown>): void {
  write().catch((error: unknown) => {
    if (refusalIn(error)?.status !== 503) log.error('write_aside_failed', errorFields(error))
  })
}
