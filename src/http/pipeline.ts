import { type ErrorCode, KeywardError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
import type { AnyCaller } from './caller.ts'
import type { Cors } from './cors.ts'
import { asRefusal, refuse } from './errors.ts'
import { attachExchange, type Exchange } from './exchange.ts'
import { pathOf, type Route, type RouteTable, targetOf } from './route-table.ts'
import { putCommonHeaders } from './security-headers.ts'
import { BELOW, type Target } from './target.ts'

export interface PipelineOptions {
  table: RouteTable
  guard: (request: Request, route: Route) => MaybePromise<AnyCaller | undefined>
  /** Elysia's own `fetch`. It validates the request and runs the handler of the route. */
  handle: (request: Request) => MaybePromise<Response>
  requestId: (supplied: string | null) => string
  cors: Cors
  /**
   * Makes an HTML page of the refusal of a request to a page. `answer` is the problem document of the refusal, or a page
   * that shows the refusal already.
   */
  pageOf?: (request: Request, refusal: KeywardError, answer: Response) => Response
  /** How long the server keeps an idle connection open, in seconds. The `Keep-Alive` header tells the client. */
  idleSeconds: number
  log: Log
  /** `report` calls this function once for each request. Metrics count the calls. */
  observe?: (answered: Answered) => void
  /**
   * Patterns of routes that probes request every few seconds. An answer of these routes with a status below 400 is
   * logged at level `debug`.
   */
  quiet?: ReadonlySet<string>
  /** True to log the path of a request that matched no route. False by default, because a path may contain a secret. */
  logUnknownPaths?: boolean
}

/** The facts of one answered request that metrics count. */
export interface Answered {
  method: string
  /**
   * The route's pattern, or `unmatched`. Metrics do not use the path, because a client can send any number of paths.
   */
  pattern: string
  status: number
  milliseconds: number
  code: ErrorCode | undefined
}

/** The four steps of every request. The caller runs `open`, `judge`, `answer` and `report`, in this order. */
export interface Pipeline {
  /**
   * Finds the route of a request and makes its exchange.
   * @param started the time of the arrival, in milliseconds of `Clock.monotonic`
   * @param target whether the sent path is the path of `received.url`; `plain` by default
   */
  open(received: Request, started: number, target?: Target): Exchange
  /**
   * Starts the check of the credential, before any part of the body is read. The result, which may be a promise, is in
   * `exchange.judged`. An error that the guard throws at once is in `exchange.refused`.
   */
  judge(exchange: Exchange): void
  /** Makes the response: a refusal, or the response of the handler. Adds the headers that every response has. */
  answer(exchange: Exchange): MaybePromise<Response>
  /**
   * Calls `observe` and writes the log line of the request.
   * @param now the time of the answer, in milliseconds of `Clock.monotonic`
   */
  report(exchange: Exchange, now: number): void
}

/**
 * Makes the steps of a request. The steps run outside Elysia for three reasons:
 * - Elysia does not call its hooks for unknown paths, `HEAD`, `OPTIONS` and 405.
 * - Elysia's hooks could check a credential only after the body was read.
 * - Elysia's hooks take a third of the time of a cheap request.
 */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { table, guard, handle, requestId, cors, idleSeconds, log, observe, quiet } = options
  const { pageOf = (_request, _refusal, answer) => answer, logUnknownPaths = false } = options
  const keepAlive = `timeout=${idleSeconds}`

  /** Never throws and never rejects: an error of the guard or of the handler becomes a refusal. */
  function respond(exchange: Exchange): MaybePromise<Response> {
    if (exchange.refused) return refuse(log, exchange.refused, exchange, table.isOAuth(exchange.path))
    if (!exchange.route) return answerWithoutRoute(exchange)
    const refused = (error: unknown) => refuse(log, error, exchange)
    try {
      const response = andThen(exchange.judged, (caller) => {
        exchange.caller = caller
        return handle(exchange.request)
      })
      return response instanceof Promise ? response.catch(refused) : response
    } catch (error) {
      return refused(error)
    }
  }

  function answerWithoutRoute(exchange: Exchange): Response {
    const { path } = exchange
    const own = table.allowed(path)
    const slashed = own.length === 0 && path.endsWith('/')
    const allowed = slashed ? table.allowed(path.slice(0, -1)) : own
    if (allowed.length === 0) return refuse(log, new KeywardError('not_found'), exchange)
    if (exchange.method === 'OPTIONS')
      return (
        (table.isPage(path) ? undefined : cors.preflight(exchange.request, allowed, path)) ??
        new Response(null, { status: 204, headers: { allow: allowed.join(', ') } })
      )
    if (slashed) return withoutSlash(exchange)
    const refusal = refuse(log, new KeywardError('method_not_allowed'), exchange, table.isOAuth(path))
    refusal.headers.set('allow', allowed.join(', '))
    return refusal
  }

  function finish(exchange: Exchange, answer: Response): Response {
    const isPage = exchange.route ? exchange.route.page : table.isPage(exchange.path)
    const response = isPage && exchange.refused ? pageOf(exchange.request, exchange.refused, answer) : answer
    const { headers } = response
    headers.set('x-request-id', exchange.id)
    putCommonHeaders(headers, isPage)
    // The `Keep-Alive` header tells the client for how long it may send another request on the connection (RFC 9112
    // section 9.3 and appendix C.2.2). Adding the header takes 0.1 µs.
    if (!closesConnection(exchange.request)) headers.set('keep-alive', keepAlive)
    // A page of another origin has no use for the answer of a page: it must not read an account's forms.
    // The answer of a `proxied` route has no CORS headers. A proxy may pass this answer on to a browser, which would
    // take the CORS headers for those of the service behind the proxy.
    if (!isPage && !exchange.route?.proxied) cors.decorate(exchange.request, response, exchange.path)
    exchange.status = response.status
    return response
  }

  return {
    open(received, started, target = 'plain') {
      // When the Host header is malformed or missing, Bun gives only the path and query as the URL. HTTP/1.0 allows a
      // request without a Host header, so only a malformed header is refused.
      const hasHost = received.url.charCodeAt(0) !== SLASH
      const request = hasHost ? received : new Request(`http://localhost${received.url}`, received)
      // RFC 9112 section 3.2 requires status 400 for a malformed Host header.
      const refused = hasHost || !request.headers.has('host') ? undefined : malformedHost()
      const { method } = request
      const path = target === 'plain' ? pathOf(request.url) : target === 'below' ? BELOW : ''
      const own = table.find(method, path)
      const proxied = own ? undefined : table.proxied(path)
      const get = own ? undefined : (proxied ?? table.find('GET', path))
      const headersOnly = get !== undefined && method === 'HEAD'
      const asked = proxied && path !== proxied.pattern ? proxied.pattern : targetOf(request.url)
      return {
        received,
        request: headersOnly || proxied ? asGet(request, asked) : request,
        started,
        id: requestId(request.headers.get('x-request-id')),
        method,
        path,
        pattern: (own ?? get)?.pattern ?? 'unmatched',
        route: refused ? undefined : headersOnly ? get : (own ?? proxied),
        headersOnly,
        refused,
        judged: undefined,
        caller: undefined,
        userId: undefined,
        status: 0,
      }
    },
    judge(exchange) {
      const { request, route } = exchange
      if (!route) return
      attachExchange(request, exchange)
      try {
        exchange.judged = guard(request, route)
      } catch (error) {
        exchange.refused = asRefusal(error)
      }
    },
    answer(exchange) {
      const response = andThen(respond(exchange), (made) => finish(exchange, made))
      return exchange.headersOnly ? andThen(response, withoutBody) : response
    },
    report({ id, method, path, pattern, status, started, refused, caller, userId }, now) {
      const milliseconds = now - started
      const code = refused?.code
      observe?.({ method, pattern, status, milliseconds, code })
      const level = status < 400 && quiet?.has(pattern) ? 'debug' : 'info'
      log[level]('request', {
        request_id: id,
        method,
        route: pattern,
        path: logUnknownPaths && pattern === 'unmatched' ? path : undefined,
        status,
        code,
        ms: Math.round(milliseconds * 100) / 100,
        user_id: caller?.userId ?? userId,
      })
    },
  }
}

/**
 * Makes a function that takes each request through the steps of a pipeline on its own. Tests compare the answers of
 * `inBatches` with the answers of this function.
 */
export const oneByOne =
  (steps: Pipeline, clock: Clock) =>
  async (received: Request): Promise<Response> => {
    const exchange = steps.open(received, clock.monotonic())
    steps.judge(exchange)
    const response = await steps.answer(exchange)
    steps.report(exchange, clock.monotonic())
    return response
  }

const closesConnection = ({ headers }: Request): boolean => {
  const connection = headers.get('connection')
  return connection !== null && /\bclose\b/i.test(connection)
}

const SLASH = 0x2f
const malformedHost = () => new KeywardError('invalid_request', { sentence: 'The Host header is malformed' })

/**
 * Redirects the client to the same path without the slash at its end, as FastAPI does. The `Location` is relative, so
 * it is also correct when a proxy serves Keyward under another path.
 */
function withoutSlash({ path, request }: Exchange): Response {
  const name = path.slice(path.lastIndexOf('/', path.length - 2) + 1, -1)
  const query = targetOf(request.url).slice(path.length)
  const location = `../${name}${query}`.replace(/[^\x21-\x7e]/g, encodeURIComponent)
  return new Response(null, { status: 307, headers: { location } })
}

/**
 * Makes the GET request, without a body, that replaces a HEAD request or a request to a `proxied` route. The new URL
 * always has the host `localhost`. Bun accepts a request with some malformed hosts, such as a number that is too large,
 * but refuses to make a `Request` from such a URL.
 */
const asGet = (request: Request, target: string): Request =>
  new Request(`http://localhost${target}`, { headers: request.headers })

/**
 * Makes the answer to a HEAD request from the answer to a GET request: keeps the headers and removes the body.
 * `Content-Length` stays the length of the removed body (RFC 9110 section 9.3.2); a 204 has no such header.
 */
async function withoutBody(response: Response): Promise<Response> {
  const { byteLength } = await response.arrayBuffer()
  const headers = new Headers(response.headers)
  if (response.status !== 204) headers.set('content-length', String(byteLength))
  return new Response(null, { status: response.status, headers })
}
