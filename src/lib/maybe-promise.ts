/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Calls `next` with a value, at once when the value is not a promise. A chain of these calls creates no promise when
 * nothing waits. Without `andThen`, and without the request's member in `http/exchange.ts`, `GET /users/me` takes 8 %
 * more CPU time and misses its goal in `bun run bench me`.
 */
export const andThen = <T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> =>
  value instanceof Promise ? value.then(next) : next(value)
