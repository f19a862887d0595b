import { type ErrorCode, KeywardError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Cors } from './cors.ts'
import { refuse } from './errors.ts'
import type { Principal } from './principal.ts'
import { refusalOf, requestState, setRequestState, standIn } from './request-state.ts'
import { pathOf, type Route, type RouteTable } from './route-table.ts'
import { commonHeaders } from './security-headers.ts'

export interface PipelineOptions {
  table: RouteTable
  guard: (request: Request, route: Route) => Promise<Principal | undefined>
  /** Elysia's own `fetch`: validation and the handler. */
  handle: (request: Request) => Response | Promise<Response>
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
  async function answer(request: Request, route: Route, id: string): Promise<Response> {
    const state = { id, route, principal: undefined as Principal | undefined }
    setRequestState(request, state)
    try {
      state.principal = await guard(request, route)
      return await handle(request)
    } catch (error) {
      return refuse(log, error, request)
    }
  }

  /** For a method or path that has no route of its own. */
  async function answerOther(request: Request, path: string, id: string): Promise<Response> {
    const allowed = table.allowed(path)
    if (allowed.length === 0) return refuse(log, new KeywardError('not_found'), request)
    if (request.method === 'OPTIONS')
      return (
        cors.preflight(request, allowed) ??
        new Response(null, { status: 204, headers: { ...commonHeaders, allow: allowed.join(', ') } })
      )
    const get = request.method === 'HEAD' ? table.find('GET', path) : undefined
    if (get) return withoutBody(await answer(standIn(request, request.url, { headers: request.headers }), get, id))
    const refusal = refuse(log, new KeywardError('method_not_allowed'), request)
    refusal.headers.set('allow', allowed.join(', '))
    return refusal
  }

  return async function fetch(received: Request): Promise<Response> {
    const started = clock.monotonic()
    const request = hasHost(received) ? received : standIn(received, `http://localhost${received.url}`, received)
    const path = pathOf(request.url)
    const id = requestId(request.headers.get('x-request-id'))
    const route = table.find(request.method, path)
    const response = await (isHostMalformed(request, received)
      ? refuse(log, malformedHost(), request)
      : route
        ? answer(request, route, id)
        : answerOther(request, path, id))
    response.headers.set('x-request-id', id)
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
      user_id: route && requestState(request)?.principal?.userId,
    })
    return response
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
