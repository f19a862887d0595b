import { Elysia } from 'elysia'
import { accessRoutes } from './features/access/routes.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { createDocumentation } from './features/documentation/documentation.ts'
import { documentationRoutes } from './features/documentation/routes.ts'
import { metricsRoutes } from './features/metrics/routes.ts'
import { probePatterns, probeRoutes } from './features/probes/routes.ts'
import { sessionRoutes } from './features/sessions/routes.ts'
import { signingKeyRoutes } from './features/signing-keys/routes.ts'
import { tokenRoutes } from './features/tokens/routes.ts'
import { inBatches } from './http/batching.ts'
import { createCors } from './http/cors.ts'
import { errorHook } from './http/errors.ts'
import { createGuard } from './http/guard.ts'
import { createHttpKit, type PeerAddress } from './http/kit.ts'
import { createDocument } from './http/openapi/document.ts'
import { createPipeline } from './http/pipeline.ts'
import { createProxyWarning } from './http/proxy-warning.ts'
import { createRequestIds } from './http/request-id.ts'
import { type Access, createRouteTable, type Limit, pathOf, type Route, type RouteTable } from './http/route-table.ts'
import type { Service } from './service.ts'

export interface App {
  fetch(request: Request): Promise<Response>
  /** Whether this is what watches the process, no work of the service. */
  isProbe(request: Request): boolean
  table: RouteTable
}

/**
 * Wires the service: the error hook first, then every feature's routes, and the pipeline around them.
 * @param peer who is at the other end of a request's connection
 */
export function createApp(service: Service, peer: PeerAddress = () => undefined): App {
  const { config, clock, random, log, metrics, probes } = service
  const kit = createHttpKit(config.TRUSTED_PROXIES, peer, createProxyWarning(log))
  // Elysia looks for the path behind a host of four letters or more, unless told not to; `pathOf` knows better.
  // Each route is compiled at its first request: to compile all at start doubles it and takes 10 MiB. The contract test
  // asks every route, so one that cannot be compiled is found there.
  // Answers are checked and stripped as their schema says; encoding would walk each again for types that none has.
  const elysia = new Elysia({
    name: 'keyward',
    precompile: false,
    encodeSchema: false,
    handler: { standardHostname: false },
  })
    .use(errorHook(log))
    .use(probeRoutes(probes, kit))
    .use(metricsRoutes(metrics, config.METRICS_TOKEN, kit))
    .use(accountRoutes(service, kit))
    .use(sessionRoutes(service.sessions, kit))
    .use(accessRoutes(service.access, kit))
    .use(signingKeyRoutes(service.signingKeys, kit))
    .use(tokenRoutes(config.PUBLIC_URL, kit))
  const documentation = createDocumentation({
    openApi: () => createDocument({ routes: elysia.routes, publicUrl: config.PUBLIC_URL }),
  })
  elysia.use(documentationRoutes(documentation, kit))
  const table = createRouteTable(elysia.routes.map(toRoute))
  const pipeline = createPipeline({
    table,
    guard: createGuard(service.access.authorize),
    handle: elysia.fetch,
    requestId: createRequestIds(random),
    cors: createCors(config.CORS_ORIGINS),
    log,
    observe: metrics.answered,
    quiet: probePatterns,
  })
  return { fetch: inBatches(pipeline, clock), isProbe: (request) => probePatterns.has(pathOf(request.url)), table }
}

/** Reads the words off a route; one without them is a mistake that must not be served. */
function toRoute({ method, path, hooks }: ElysiaRoute): Route {
  const detail = (hooks.detail ?? {}) as { 'x-access'?: Access; 'x-limit'?: Limit; 'x-oauth'?: boolean }
  const { 'x-access': access, 'x-limit': limit, 'x-oauth': oauth = false } = detail
  if (access === undefined) throw new Error(`${method} ${path} has no access word`)
  if (access === 'open' && limit === undefined) throw new Error(`${method} ${path} is open and says nothing of limits`)
  const statuses = Object.keys((hooks.response ?? {}) as object).map(Number)
  return { method, pattern: path, access, limit, oauth, statuses }
}

interface ElysiaRoute {
  method: string
  path: string
  hooks: { detail?: unknown; response?: unknown }
}
