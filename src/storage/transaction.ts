import { KeywardError } from '../errors.ts'
import { errorFields, type Log } from '../lib/log.ts'
import { attempt, type MaybePromise } from '../lib/maybe-promise.ts'

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
 * whole transaction, and `join` refuses all later work of the transaction. PostgreSQL refuses later statements itself,
 * but SQLite would run them, after some errors even outside the transaction.
 * @returns without a promise when `work` does
 * @throws the error of `work`, or Error when the transaction had ended or failed before this call
 */
export function join<T>(transaction: Transaction, work: () => MaybePromise<T>): MaybePromise<T> {
  const { ended, failure } = transaction
  if (ended) throw new Error('A statement was run after its transaction had ended')
  if (failure)
    throw new Error('A statement was run after an earlier one of its transaction had failed', { cause: failure.error })
  const fail = (error: unknown): never => {
    transaction.failure ??= { error }
    throw error
  }
  return attempt(work, fail)
}

/** Runs `task` after the commit of `transaction`; at once when `transaction` is undefined or has ended. */
export function scheduleAfterCommit(transaction: Transaction | undefined, task: () => void): void {
  if (transaction && !transaction.ended) transaction.afterCommit.push(task)
  else task()
}

/** Runs the work of a transaction that is not joined. @throws the error of any statement, even if `work` caught it */
export async function runWhole<T>(transaction: Transaction, work: () => Promise<T>): Promise<T> {
  const value = await work()
  if (transaction.failure) throw transaction.failure.error
  return value
}

/** Runs the `afterCommit` tasks of a committed transaction. An error of a task is only logged. */
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
