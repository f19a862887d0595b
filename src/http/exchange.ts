import type { ErrorCode, KeywardError } from '../errors.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Caller } from './caller.ts'
import type { Route } from './route-table.ts'

/** One request, from its arrival to its log line. Each step of the pipeline adds its part. */
export interface Exchange {
  /** The request as the server received it. Bun knows the connection of this object only. */
  readonly received: Request
  /**
   * The request that Elysia answers: `received`, or a copy with a usable URL, or with GET for HEAD or for a proxy's
   * request.
   */
  readonly request: Request
  /** The time of the request's arrival, in milliseconds of the monotonic clock. */
  readonly started: number
  /** The value of `X-Request-Id`, and the request's name in the log. */
  readonly id: string
  /** The method that the client sent. `request` may have GET instead. */
  readonly method: string
  /** The path of the request; `BELOW` for the target `below`; empty for `changed`, so that no route matches. */
  readonly path: string
  /**
   * The route's pattern for the log and metrics. If the path has no route of this method, the pattern of its GET route,
   * and without a GET route `unmatched`.
   */
  readonly pattern: string
  readonly route: Route | undefined
  /** True when the client sent HEAD for a path with a GET route. The answer has only the headers of the GET answer. */
  readonly headersOnly: boolean
  /** The refusal of a request that is refused before its handler runs. */
  refused: KeywardError | undefined
  /** The result of the guard, which may still be pending. */
  judged: MaybePromise<Caller | undefined>
  /** Set before the handler runs; undefined on open routes, and when a form may contain the credential. */
  caller: Caller | undefined
  /** For the access log: the user who logged in, registered or refreshed on an open route. */
  userId: number | undefined
  /** The code of the refusal that was answered. */
  code: ErrorCode | undefined
  /** The status of the answer. */
  status: number
}

/**
 * The exchange is a member of the request, not an entry of a WeakMap. The garbage collector visits every entry of a
 * WeakMap, and a busy server would have tens of thousands of entries.
 */
const member: unique symbol = Symbol('keyward.exchange')

type WithExchange = Request & { [member]?: Exchange }

/**
 * Adds the exchange to its request. Elysia gives a handler only the request, from which `exchangeOf` returns the
 * exchange.
 */
export const attachExchange = (request: WithExchange, exchange: Exchange): void => {
  request[member] = exchange
}

export const exchangeOf = (request: WithExchange): Exchange | undefined => request[member]
