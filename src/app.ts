import { Elysia } from 'elysia'
import { createProxyWarning } from './cli/warnings.ts'
import { authorize } from './features/access/authorize.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { createDocumentation } from './features/documentation/documentation.ts'
import { documentationRoutes } from './features/documentation/routes.ts'
import { authorizeMetrics } from './features/metrics/authorize.ts'
import { opsRoutes, probePatterns } from './features/probes/routes.ts'
import { sessionRoutes } from './features/sessions/routes.ts'
import { keyRoutes } from './features/signing-keys/routes.ts'
import { tokenRoutes } from './features/tokens/routes.ts'
import { createCors } from './http/cors.ts'
import { errorHook } from './http/errors.ts'
import { type Authorize, createGuard } from './http/guard.ts'
import { createHttpKit, type PeerAddress } from './http/kit.ts'
import { createPipeline } from './http/pipeline.ts'
import { createRequestIds } from './http/request-id.ts'
import { type Access, createRouteTable, type Limit, pathOf, type Route, type RouteTable } from './http/route-table.ts'
import type { Deps } from './service.ts'

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
export function createApp(deps: Deps, peer: PeerAddress = () => undefined): App {
  const { config, clock, log } = deps
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
    .use(opsRoutes(deps, kit))
    .use(accountRoutes(deps, kit))
    .use(sessionRoutes(deps, kit))
    .use(keyRoutes(deps, kit))
    .use(tokenRoutes(deps, kit))
  const documentation = createDocumentation({ publicUrl: config.PUBLIC_URL, routes: () => elysia.routes })
  elysia.use(documentationRoutes(documentation, kit))
  const table = createRouteTable(elysia.routes.map(toRoute))
  const fetch = createPipeline({
    table,
    guard: createGuard(createAuthorize(deps)),
    handle: elysia.fetch,
    requestId: createRequestIds(deps.random),
    cors: createCors(config.CORS_ORIGINS),
    clock,
    log,
    observe: deps.metrics.answered,
    quiet: probePatterns,
  })
  return { fetch, isProbe: (request) => probePatterns.has(pathOf(request.url)), table }
}

/** What each access word asks of a bearer token. */
const createAuthorize =
  (deps: Deps): Authorize =>
  (token, access) =>
    access === 'metrics' ? authorizeMetrics(deps.config, token) : authorize(deps, token, access)

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
