import { KeywardError } from '../errors.ts'
import { errorFields, type Log } from '../lib/log.ts'

/** A running transaction as its statements see it, the same on both databases. */
export interface Transaction {
  afterCommit: (() => void)[]
  /** The first thing that went wrong in it. From then on nothing runs in it and nothing of it is kept. */
  failure: { error: unknown } | undefined
  ended: boolean
}

export const newTransaction = (): Transaction => ({ afterCommit: [], failure: undefined, ended: false })

/** @throws Error when no statement may run in the transaction any more */
export function checkOpen({ ended, failure }: Transaction): void {
  if (ended) throw new Error('A statement was run after its transaction had ended')
  if (failure)
    throw new Error('A statement was run after an earlier one of its transaction had failed', { cause: failure.error })
}

/**
 * Remembers what went wrong. PostgreSQL refuses every statement after one that failed; SQLite would go on, and after
 * some errors outside of any transaction.
 */
export function fail<E>(transaction: Transaction, error: E): E {
  transaction.failure ??= { error }
  return error
}

/** Runs `work` as a part of a transaction that runs already. A part that fails cannot be taken back alone. */
export async function join<T>(transaction: Transaction, work: () => Promise<T>): Promise<T> {
  checkOpen(transaction)
  try {
    return await work()
  } catch (error) {
    throw fail(transaction, error)
  }
}

/** Runs the whole of a transaction; rejects also when `work` swallowed a failure. */
export async function runWhole<T>(transaction: Transaction, work: () => Promise<T>): Promise<T> {
  const value = await work()
  if (transaction.failure) throw transaction.failure.error
  return value
}

/** Runs what waited for the commit. The commit stands whatever these do, so what they throw goes to the log. */
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
