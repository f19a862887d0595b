import { causes } from './conflicts.ts'

/** A database cannot be copied for a known reason. `message` says which, and what the operator can do. */
export class CopyError extends Error {
  override readonly name = 'CopyError'
}

/** The new database has rows already, so a copy would mix two services. Nothing was changed. */
export class NotEmptyError extends CopyError {}

/** One of the two databases of a copy failed. `cause` is the error, and `side` says which database it is. */
export class SideError extends Error {
  override readonly name = 'SideError'

  constructor(
    readonly side: Side,
    cause: unknown,
  ) {
    super(`the database ${side === 'from' ? 'that is copied' : 'to copy to'} failed`, { cause })
  }
}

export type Side = 'from' | 'to'

/**
 * Runs `work` on one of the databases.
 * @throws CopyError, or SideError with the error of `work`. A SideError inside of the error says more and is thrown instead
 */
export async function onSide<T>(side: Side, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const known = [...causes(error)].find((cause) => cause instanceof SideError || cause instanceof CopyError)
    throw known ?? new SideError(side, error)
  }
}
