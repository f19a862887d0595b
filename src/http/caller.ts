import type { ApiKeyCaller } from '../features/api-keys/api-keys.ts'
import type { SessionCaller } from '../features/sessions/sessions.ts'
import { requestState } from './request-state.ts'

/** Who makes a request: a person with a session, or a service with an API key. */
export type Caller = SessionCaller | ApiKeyCaller

/**
 * The caller of a request whose route has an access word.
 * @throws Error on a route without one: a mistake of ours
 */
export function callerOf(request: Request): Caller {
  const caller = requestState(request)?.principal as Caller | undefined
  if (!caller) throw new Error('This route has no access word, so nobody was authenticated')
  return caller
}

/**
 * The person who makes a request, with their session.
 * @throws Error on a route that API keys may call, or that has no access word: a mistake of ours
 */
export function sessionOf(request: Request): SessionCaller {
  const caller = callerOf(request)
  if (caller.kind !== 'session') throw new Error('This route may be called with an API key, which has no session')
  return caller
}
