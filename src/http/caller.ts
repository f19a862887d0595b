import type { ApiKeyCaller } from '../features/api-keys/api-keys.ts'
import type { SessionCaller } from '../features/sessions/sessions.ts'
import { exchangeOf } from './exchange.ts'

/** Who sent a request, after the guard has verified the credential. */
export type Caller = SessionCaller | ApiKeyCaller

/**
 * The caller of a route whose access word asks for a credential.
 * @throws Error on an open route, which has no caller: a mistake in the route
 */
export function callerOf(request: Request): Caller {
  const caller = exchangeOf(request)?.caller
  if (!caller) throw new Error('This route is open: it has no caller')
  return caller
}

/**
 * The caller of a route that only a person with a session may use.
 * @throws Error on an open route and where an API key may call: a mistake in the route
 */
export function sessionOf(request: Request): SessionCaller {
  const caller = callerOf(request)
  if (caller.kind !== 'session') throw new Error('This route can be called without a session')
  return caller
}

/** Names the user of an open route in the access log. Call it after the proof only: a guess must not name its target. */
export function noteUser(request: Request, userId: number): void {
  const exchange = exchangeOf(request)
  if (exchange) exchange.userId = userId
}
