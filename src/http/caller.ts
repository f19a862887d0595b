import type { ClientItself } from '../features/access/access.ts'
import type { ApiKeyCaller } from '../features/api-keys/api-keys.ts'
import type { ClientCaller, SessionCaller } from '../features/sessions/sessions.ts'
import { exchangeOf } from './exchange.ts'

/** The sender of a request whose credential the guard has verified. */
export type Caller = SessionCaller | ApiKeyCaller

/**
 * A `Caller`; on a route with the access word `openid` a registered client; on a route with `secret` also a client that
 * has shown its own secret.
 */
export type AnyCaller = Caller | ClientCaller | ClientItself

/**
 * Returns the caller of a request.
 * @throws Error on an open route and on one for clients; this is a defect in the route
 */
export function callerOf(request: Request): Caller {
  const caller = exchangeOf(request)?.caller
  if (!caller || caller.kind === 'client' || caller.kind === 'client-itself')
    throw new Error('This route is open, or for clients: it has no caller')
  return caller
}

/**
 * Returns whoever the guard has found by the credential of a request; undefined on an open route, and when the credential
 * may be in a form, which the guard does not read.
 */
export const authenticated = (request: Request): AnyCaller | undefined => exchangeOf(request)?.caller

/**
 * Returns the caller of a request to a route that requires a session.
 * @throws Error when the request has no caller, or when the caller has an API key; this is a defect in the route
 */
export function sessionOf(request: Request): SessionCaller {
  const caller = callerOf(request)
  if (caller.kind !== 'session') throw new Error('This route can be called without a session')
  return caller
}

/**
 * Returns the client that makes a request to a route with the access word `openid`, and its user.
 * @throws Error on another route; this is a defect in the route
 */
export function clientOf(request: Request): ClientCaller {
  const caller = exchangeOf(request)?.caller
  if (caller?.kind !== 'client') throw new Error('This route is not for clients')
  return caller
}

/**
 * Records the user of a request to an open route, for the log line of the request. Call this function only after the
 * password or the token was verified. Otherwise the log line of a failed guess would name the attacked user.
 */
export function noteUser(request: Request, userId: number): void {
  const exchange = exchangeOf(request)
  if (exchange) exchange.userId = userId
}
