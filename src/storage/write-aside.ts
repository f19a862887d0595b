import { refusalIn } from '../errors.ts'
import { errorFields, type Log } from '../lib/log.ts'

/**
 * Starts a write that no answer depends on, such as a statistic, and does not wait for it. Thus requests that only read
 * succeed while the database takes no writes (a full disk). A refusal with status 503 is ignored, any other error is
 * logged. Call this outside a transaction, which would fail with the write.
 */
export function writeAside(log: Pick<Log, 'error'>, write: () => Promise<unknown>): void {
  write().catch((error: unknown) => {
    if (refusalIn(error)?.status !== 503) log.error('write_aside_failed', errorFields(error))
  })
}
