import type { ErrorCode } from '../errors.ts'
import type { Principal } from './principal.ts'
import type { Route } from './route-table.ts'

/** What the kit knows of a request before its handler runs. */
export interface RequestState {
  /** What `X-Request-Id` answers and the log names. */
  readonly id: string
  readonly route: Route
  principal?: Principal
  /** For the access log, where nobody had to be known before: who logged in, registered or refreshed. */
  userId?: number
}

const refusals = new WeakMap<Request, ErrorCode>()

/** Remembers the code that a request is refused with, for the log and the metrics. */
export const noteRefusal = (request: Request, code: ErrorCode): unknown => refusals.set(originalOf(request), code)

export const refusalOf = (request: Request): ErrorCode | undefined => refusals.get(originalOf(request))

/** A member, not a WeakMap: of that every collection looks at each entry, of which a busy server has tens of thousands. */
const stateOf: unique symbol = Symbol('keyward.state')

type WithState = Request & { [stateOf]?: RequestState }

export const setRequestState = (request: WithState, state: RequestState): void => {
  request[stateOf] = state
}

export const requestState = (request: WithState): RequestState | undefined => request[stateOf]

/** Remembers for the log whom an open route has let in. Only once that is proven: a guess must not name its target. */
export function noteUser(request: Request, userId: number): void {
  const state = requestState(request)
  if (state) state.userId = userId
}

/**
 * Who is asking, in the type that the guard's `Authorize` answers. Only for routes with `access`: the guard has judged
 * the credential before the handler runs.
 */
export function principalOf<P extends Principal>(request: Request): P {
  const principal = requestState(request)?.principal
  if (!principal) throw new Error('This route has no access word that names a principal')
  return principal as P
}

const originals = new WeakMap<Request, Request>()

/** A request to handle in place of `original`, which alone knows the connection that it came by. */
export function standIn(original: Request, url: string, init: Request | RequestInit): Request {
  const request = new Request(url, init)
  originals.set(request, original)
  return request
}

/** The request as the server received it. */
export const originalOf = (request: Request): Request => originals.get(request) ?? request
