import type { ApiKeyCaller } from '../features/api-keys/api-keys.ts'
import type { SessionCaller } from '../features/sessions/sessions.ts'
import { exchangeOf } from './exchange.ts'

/** The sender of a request, after the guard has verified the credential. */
export type Caller = SessionCaller | ApiKeyCaller

/**
 * Returns the caller whose credential the guard has verified.
 * @throws Error when there is none, as on an open route; this is a defect in the route
 */
export function callerOf(request: Request): Caller {
  const caller = exchangeOf(request)?.caller
  if (!caller) throw new Error('This route is open: it has no caller')
  return caller
}

/** Returns false on an open route, and when a form may contain the credential (see `createGuard`). */
export const hasCaller = (request: Request): boolean => exchangeOf(request)?.caller !== undefined

/**
 * The caller of a route that requires a session.
 * @throws Error on an open route, and when the caller has an API key; this is a defect in the route
 */
export function sessionOf(request: Request): SessionCaller {
  const caller = callerOf(request)
  if (caller.kind !== 'session') throw new Error('This route can be called without a session')
  return caller
}

/**
 * Adds the user of an open route to the log line of the request. Call this function only after the password or the
 * token was verified. Otherwise a failed guess would record the attacked user.
 */
export function noteUser(request: Request, userId: number): void {
  const exchange = exchangeOf(request)
  if (exchange) exchange.userId = userId
}
