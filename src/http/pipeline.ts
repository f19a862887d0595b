import { type ErrorCode, KeywardError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
import type { Cors } from './cors.ts'
import { refuse } from './errors.ts'
import type { Principal } from './principal.ts'
import { type RequestState, refusalOf, setRequestState, standIn } from './request-state.ts'
import { pathOf, type Route, type RouteTable, targetOf } from './route-table.ts'
import { putCommonHeaders } from './security-headers.ts'

export interface PipelineOptions {
  table: RouteTable
  guard: (request: Request, route: Route) => MaybePromise<Principal | undefined>
  /** Elysia's own `fetch`: validation and the handler. */
  handle: (request: Request) => MaybePromise<Response>
  requestId: (supplied: string | null) => string
  cors: Cors
  clock: Clock
  log: Log
  /** Told of every answer, for metrics. */
  observe?: (answered: Answered) => void
  /** Patterns whose good answers are logged at level `debug`: what probes ask every few seconds. */
  quiet?: ReadonlySet<string>
}

/** What metrics are told of an answer. */
export interface Answered {
  method: string
  /** As registered; undefined where no route has the path. */
  pattern: string | undefined
  status: number
  milliseconds: number
  /** Why it was refused, if it was. */
  code: ErrorCode | undefined
}

/**
 * What happens to every request, in order: find the route, judge the credential, let Elysia validate and answer,
 * put the common headers on, log one line. It stands outside Elysia because its hooks cost a third of a cheap
 * request, see neither unknown paths nor a body that was not read yet, and do not cover `HEAD`, `OPTIONS` and 405.
 */
export function createPipeline({ table, guard, handle, requestId, cors, clock, log, observe, quiet }: PipelineOptions) {
  function answer(request: Request, state: RequestState): MaybePromise<Response> {
    setRequestState(request, state)
    const refused = (error: unknown) => refuse(log, error, request)
    try {
      const response = andThen(guard(request, state.route), (principal) => {
        state.principal = principal
        return handle(request)
      })
      return response instanceof Promise ? response.catch(refused) : response
    } catch (error) {
      return refused(error)
    }
  }

  /** For a method or path that has no route of its own. */
  function answerOther(request: Request, path: string, id: string): MaybePromise<Response> {
    const allowed = table.allowed(path)
    if (allowed.length === 0) return refuse(log, new KeywardError('not_found'), request)
    if (request.method === 'OPTIONS')
      return (
        cors.preflight(request, allowed) ?? new Response(null, { status: 204, headers: { allow: allowed.join(', ') } })
      )
    const get = request.method === 'HEAD' ? table.find('GET', path) : undefined
    if (get) {
      // Bun takes what is no host for one, such as a number too large, and then refuses a request made of its own URL.
      const asGet = standIn(request, `http://localhost${targetOf(request.url)}`, { headers: request.headers })
      return andThen(answer(asGet, { id, route: get }), withoutBody)
    }
    const refusal = refuse(log, new KeywardError('method_not_allowed'), request)
    refusal.headers.set('allow', allowed.join(', '))
    return refusal
  }

  return function fetch(received: Request): MaybePromise<Response> {
    const started = clock.monotonic()
    const request = hasHost(received) ? received : standIn(received, `http://localhost${received.url}`, received)
    const path = pathOf(request.url)
    const id = requestId(request.headers.get('x-request-id'))
    const route = table.find(request.method, path)
    const state: RequestState | undefined = route && { id, route }
    const response = isHostMalformed(request, received)
      ? refuse(log, malformedHost(), request)
      : state
        ? answer(request, state)
        : answerOther(request, path, id)
    return andThen(response, (response) => {
      const { headers } = response
      headers.set('x-request-id', id)
      putCommonHeaders(headers)
      cors.decorate(request, response)
      const milliseconds = clock.monotonic() - started
      const { method } = request
      const { status } = response
      const pattern = route?.pattern ?? table.find('GET', path)?.pattern
      const code = status < 400 ? undefined : refusalOf(request)
      observe?.({ method, pattern, status, milliseconds, code })
      const level = status < 400 && pattern !== undefined && quiet?.has(pattern) ? 'debug' : 'info'
      log[level]('request', {
        request_id: id,
        method,
        route: pattern,
        status,
        code,
        ms: Math.round(milliseconds * 100) / 100,
        user_id: state?.principal?.userId,
      })
      return response
    })
  }
}

/** Bun tells the bare target instead of a URL where the Host header is no host, or missing as HTTP/1.0 allows. */
const hasHost = ({ url }: Request): boolean => url.charCodeAt(0) !== SLASH
const SLASH = 0x2f

/** RFC 9112 section 3.2 asks for this 400. */
const isHostMalformed = (request: Request, received: Request): boolean =>
  request !== received && request.headers.get('host') !== null
const malformedHost = () => new KeywardError('invalid_request', { sentence: 'The Host header is malformed' })

/** A HEAD answer: the headers of the GET, the length of its body among them (RFC 9110 section 9.3.2). */
async function withoutBody(response: Response): Promise<Response> {
  const { byteLength } = await response.arrayBuffer()
  const headers = new Headers(response.headers)
  if (response.status !== 204) headers.set('content-length', String(byteLength))
  return new Response(null, { status: response.status, headers })
}
