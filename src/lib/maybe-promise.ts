/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Continues with a value, at once if it is no promise: a chain of these in which nothing waits creates no promise. The
 * cheapest requests use it between socket and database. There the promises of a dozen `async` functions, and Bun's copy of
 * a request that is answered later, cost as much as the database.
 */
export const andThen = <T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> =>
  value instanceof Promise ? value.then(next) : next(value)
