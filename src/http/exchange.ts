import type { KeywardError } from '../errors.ts'
import type { Locale } from '../lib/locale.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { AnyCaller } from './caller.ts'
import type { Route } from './route-table.ts'

/** One request, from its arrival to its log line. Each step of the pipeline fills in some members. */
export interface Exchange {
  /**
   * The request as Bun passed it to Keyward. Bun finds the connection, and so the peer address, for this object only.
   */
  readonly received: Request
  /**
   * The request that Elysia answers. It is `received`, or a copy of it: with a full URL when the Host header is missing
   * or malformed, or with the method GET for a HEAD request and for a request to a `proxied` route.
   */
  readonly request: Request
  /** The time of the arrival, in milliseconds of `Clock.monotonic`. */
  readonly started: number
  /** The id of the request, in the `X-Request-Id` of the answer and in the log. */
  readonly id: string
  /** The method that the client sent. `request` may have the method GET instead. */
  readonly method: string
  /**
   * The path of the request. It is `BELOW` for the target `below`, and empty for the target `changed`, so that no route
   * matches.
   */
  readonly path: string
  /**
   * The pattern of the route, for the log and metrics. When the path has no route for this method, it is the pattern of
   * the path's GET route or `proxied` route. When the path has neither, it is `unmatched`.
   */
  readonly pattern: string
  readonly route: Route | undefined
  /**
   * True for a HEAD request to a path that has a GET route or a `proxied` route. The answer is the answer to GET
   * without its body.
   */
  readonly headersOnly: boolean
  /**
   * The refusal that the request is answered with; undefined when the answer is no refusal. Before the handler runs, it
   * is known when the Host header is malformed or the guard threw at once. A refusal of a guard that is still running
   * rejects `judged` instead.
   */
  refused: KeywardError | undefined
  /** The result of the guard, which may be a pending promise. */
  judged: MaybePromise<AnyCaller | undefined>
  /**
   * Set before the handler runs. Undefined on an open route, and when the credential may be in a form, which only the
   * handler reads.
   */
  caller: AnyCaller | undefined
  /** The user who registered, logged in or refreshed on an open route. The request's log line names this user. */
  userId: number | undefined
  /** The client's address, once it was asked for. */
  ip?: string
  /** The language of a page, once it is decided. A refusal that becomes a page later is in the same language. */
  language?: Locale
  /** The HTTP status of the answer; 0 until there is an answer. */
  status: number
}

/**
 * The exchange is a member of the request, not an entry of a WeakMap. The garbage collector visits every entry of a
 * WeakMap, and a busy server would have tens of thousands of entries.
 */
const member: unique symbol = Symbol('keyward.exchange')

type WithExchange = Request & { [member]?: Exchange }

/**
 * Adds the exchange to `exchange.request`. Elysia passes only this request to a handler, and `exchangeOf` returns the
 * exchange of the request.
 */
export const attachExchange = (request: WithExchange, exchange: Exchange): void => {
  request[member] = exchange
}

export const exchangeOf = (request: WithExchange): Exchange | undefined => request[member]
