import type { ErrorCode, KeywardError } from '../errors.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Caller } from './caller.ts'
import type { Route } from './route-table.ts'

/** One request, from its arrival to its log line. Each step of the pipeline adds its part. */
export interface Exchange {
  /** The request as the server received it. Only this object knows its connection. */
  readonly received: Request
  /** The request to answer: `received`, or a stand-in with a usable URL, or with GET for HEAD or for a proxy's request. */
  readonly request: Request
  /** Milliseconds of the monotonic clock. */
  readonly started: number
  /** The value of `X-Request-Id`, and the request's name in the log. */
  readonly id: string
  /** The method that the client sent; `request` has GET where this is HEAD. */
  readonly method: string
  /** Empty where the target was changed, so that no route has it. */
  readonly path: string
  /** The route's pattern for log and metrics. Without a route for this method it is the pattern of GET, else `unmatched`. */
  readonly pattern: string
  readonly route: Route | undefined
  /** Whether the client asked for the headers only. */
  readonly headersOnly: boolean
  /** Why the request was refused before its handler. */
  refused: KeywardError | undefined
  /** The result of the guard, which may still be pending. */
  judged: MaybePromise<Caller | undefined>
  /** Set before the handler runs; undefined on open routes. */
  caller: Caller | undefined
  /** For the access log: the user who logged in, registered or refreshed on an open route. */
  userId: number | undefined
  /** The code of the refusal that was answered. */
  code: ErrorCode | undefined
  /** The status of the answer. */
  status: number
}

/**
 * A member of the request and not a WeakMap: the garbage collector visits every entry of a WeakMap, and a busy server
 * has tens of thousands.
 */
const member: unique symbol = Symbol('keyward.exchange')

type WithExchange = Request & { [member]?: Exchange }

/** Lets handlers, which Elysia gives nothing but the request, find its exchange. */
export const attachExchange = (request: WithExchange, exchange: Exchange): void => {
  request[member] = exchange
}

export const exchangeOf = (request: WithExchange): Exchange | undefined => request[member]
