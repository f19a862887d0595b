import { KeywardError } from '../errors.ts'
import { errorFields, type Log } from '../lib/log.ts'

/** The state of a running transaction, on both databases. */
export interface Transaction {
  afterCommit: (() => void)[]
  /** The first error of a statement or joined transaction. No later statement runs, and all changes are rolled back. */
  failure: { error: unknown } | undefined
  ended: boolean
}

export const newTransaction = (): Transaction => ({ afterCommit: [], failure: undefined, ended: false })

/**
 * Runs `work`, a statement or a joined transaction, as part of a running transaction. An error of `work` fails the
 * whole transaction. After an error PostgreSQL refuses further statements. SQLite would run further statements, after
 * some errors even outside the transaction. Therefore this function refuses them.
 * @throws the error of `work`, or Error when the transaction had ended or failed before
 */
export async function join<T>(transaction: Transaction, work: () => T | Promise<T>): Promise<T> {
  const { ended, failure } = transaction
  if (ended) throw new Error('A statement was run after its transaction had ended')
  if (failure)
    throw new Error('A statement was run after an earlier one of its transaction had failed', { cause: failure.error })
  try {
    return await work()
  } catch (error) {
    transaction.failure ??= { error }
    throw error
  }
}

/** Runs `task` after the commit of `transaction`; at once when there is none, or when it has ended. */
export function scheduleAfterCommit(transaction: Transaction | undefined, task: () => void): void {
  if (transaction && !transaction.ended) transaction.afterCommit.push(task)
  else task()
}

/** Runs the work of a whole transaction. Rejects if any statement failed, even if `work` caught the error. */
export async function runWhole<T>(transaction: Transaction, work: () => Promise<T>): Promise<T> {
  const value = await work()
  if (transaction.failure) throw transaction.failure.error
  return value
}

/** Runs the tasks of `afterCommit`. The transaction is committed, so errors of the tasks are only logged. */
export function runAfterCommit({ afterCommit }: Transaction, log: Pick<Log, 'error'> | undefined): void {
  const report = (error: unknown) => log?.error('after_commit_failed', errorFields(error))
  for (const task of afterCommit)
    try {
      const outcome: unknown = task()
      if (outcome instanceof Promise) outcome.catch(report)
    } catch (error) {
      report(error)
    }
}

export const databaseBusy = (cause?: unknown) => new KeywardError('database_busy', { retryAfter: 1, cause })

export const databaseUnavailable = (cause?: unknown) =>
  new KeywardError('database_unavailable', { retryAfter: 5, cause })
