/** A value, or the promise of one that is not at hand yet. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Goes on with a value: at once if it is at hand, so that a chain of these in which nothing waits makes no promise.
 * For what stands between the socket and the database of the cheapest requests, where the promises of a dozen `async`
 * functions, and Bun's copy of a request that is answered later, cost as much as the database.
 */
export const andThen = <T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> =>
  value instanceof Promise ? value.then(next) : next(value)
