import { Elysia } from 'elysia'
import { pagesOf, signInOf } from './config/parts.ts'
import { accessRoutes } from './features/access/routes.ts'
import { passkeyRoutes } from './features/accounts/passkey.routes.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { secondFactorRoutes } from './features/accounts/second-factor.routes.ts'
import { apiKeyRoutes } from './features/administration/api-keys.routes.ts'
import { clientRoutes } from './features/administration/clients.routes.ts'
import { factorAdministrationRoutes } from './features/administration/factors.routes.ts'
import { mailAdministrationRoutes } from './features/administration/mails.routes.ts'
import { providerRoutes } from './features/administration/providers.routes.ts'
import { roleRoutes } from './features/administration/roles.routes.ts'
import { administrationRoutes } from './features/administration/routes.ts'
import { signingKeyAdministrationRoutes } from './features/administration/signing-keys.routes.ts'
import { createDocumentation } from './features/documentation/documentation.ts'
import { documentationRoutes } from './features/documentation/routes.ts'
import { enrollmentAtLoginRoutes } from './features/enrollment/at-login.routes.ts'
import { passkeyEnrollmentRoutes } from './features/enrollment/passkey.routes.ts'
import { enrollmentRoutes } from './features/enrollment/routes.ts'
import { trustedDeviceRoutes } from './features/enrollment/trusted.routes.ts'
import { passkeyDocumentRoutes } from './features/factors/routes.ts'
import { invitationPages } from './features/invitations/pages.tsx'
import { invitationRoutes } from './features/invitations/routes.ts'
import { mailboxRoutes } from './features/mail/routes.ts'
import { metricsRoutes } from './features/metrics/routes.ts'
import { deviceRoutes } from './features/openid/device.routes.ts'
import { endSessionRoutes } from './features/openid/end-session.routes.ts'
import { metadataRoutes } from './features/openid/metadata.routes.ts'
import { openIdPages } from './features/openid/pages.tsx'
import { openIdRoutes } from './features/openid/routes.ts'
import { tokenEndpointRoutes } from './features/openid/token.routes.ts'
import { probePatterns } from './features/probes/probes.ts'
import { probeRoutes } from './features/probes/routes.ts'
import { sessionRoutes } from './features/sessions/routes.ts'
import { accountPages, type ConnectedApps, type LinkedIdentities } from './features/sign-in/account.pages.tsx'
import { enrollPages } from './features/sign-in/enroll.pages.tsx'
import { signInPages } from './features/sign-in/pages.tsx'
import { secondPages } from './features/sign-in/second.pages.tsx'
import { stepUpPages } from './features/sign-in/step-up.pages.tsx'
import { signingKeyRoutes } from './features/signing-keys/routes.ts'
import { socialPages } from './features/social/pages.tsx'
import { socialRoutes } from './features/social/routes.ts'
import { factorRecoveryRoutes } from './features/verification/factor.routes.ts'
import { verificationPages } from './features/verification/pages.tsx'
import { verificationRoutes } from './features/verification/routes.ts'
import { inBatches } from './http/batching.ts'
import { errorHook } from './http/error-hook.ts'
import { createGuard } from './http/guard.ts'
import { createHttpKit, type PeerAddress } from './http/kit.ts'
import { createDocument } from './http/openapi/document.ts'
import { createPipeline } from './http/pipeline.ts'
import { pipelineOptions } from './http/pipeline-options.ts'
import { type Access, createRouteTable, type Limit, pathOf, type Route, type RouteTable } from './http/route-table.ts'
import type { Target } from './http/target.ts'
import { isLoopback } from './lib/ip.ts'
import { createPages } from './pages/pages.tsx'
import { pageFileRoutes } from './pages/routes.ts'
import type { Service } from './service.ts'

export interface App {
  /**
   * Answers a request.
   * @param target `plain` when it is not given, as for a request that is made in process
   */
  fetch(request: Request, target?: Target): Promise<Response>
  /**
   * Returns true when the path is `/livez`, `/readyz` or `/metrics`. Monitoring sends such requests every few seconds.
   */
  isProbe(request: Request): boolean
  table: RouteTable
}

export interface AppOptions {
  /** Returns the address of the other end of a request's connection. */
  peer?: PeerAddress
  /**
   * True to log the path of a request that matched no route. A path may contain a secret, so this is for development.
   */
  logUnknownPaths?: boolean
}

/**
 * Makes the HTTP application of a service: the error hook first, then the routes of every feature, and the pipeline
 * around the routes.
 * @throws Error for a route without an access word, and for an open or writing route without a limit
 */
export function createApp(service: Service, { peer = () => undefined, logUnknownPaths }: AppOptions = {}): App {
  const { config, clock, log, metrics, probes } = service
  const kit = createHttpKit(config.TRUSTED_PROXIES, peer, log)
  const pages = config.PAGES === 'on' ? createPages({ log, signIn: service.signIn, ...pagesOf(config) }) : undefined
  const showing = { pages, minLength: config.PASSWORD_MIN_LENGTH }
  const withCookies = pages?.mayUseCookies ? pages : undefined
  const signingIn = { ...showing, pages: withCookies, clock, accounts: service.accounts, ...signInOf(config) }
  // standardHostname: by default Elysia expects a host name of four letters or more, and misreads the path after a
  // shorter host name.
  // precompile: compiling all routes at the start would double the start time and take 10 MiB. The contract test
  // requests every route, so the test finds a route that cannot be compiled.
  // encodeSchema: Elysia checks answers against their schemas, and removes members that a schema lacks, also without
  // this option. The option only converts types that no schema of Keyward uses.
  const elysia = new Elysia({
    name: 'keyward',
    precompile: false,
    encodeSchema: false,
    handler: { standardHostname: false },
  })
    .use(errorHook(log))
    .use(probeRoutes(probes, kit))
    .use(metricsRoutes(metrics, config.METRICS_TOKEN, kit))
    .use(mailboxRoutes(isLoopback(config.HOST) ? service.mailbox : undefined, kit))
    .use(tokenEndpointRoutes(service, kit))
    .use(secondFactorRoutes(service, kit))
    .use(passkeyRoutes(service, kit))
    .use(accountRoutes(service, kit))
    .use(pageFileRoutes(pages, kit))
    .use(verificationPages(service.verification, showing, kit))
    .use(invitationPages(service.invitations, showing, kit))
    .use(signInPages(service.signIn, { ...signingIn, providers: service.social.buttons }, kit))
    .use(secondPages(service.signIn, { ...signingIn, sessions: service.sessions }, kit))
    .use(enrollPages(service.signIn, { ...service, ...signingIn }, kit))
    .use(stepUpPages(service.signIn, signingIn, kit))
    .use(accountPages(service.signIn, { ...service, ...signingIn, ...listsOf(service) }, kit))
    .use(verificationRoutes(service, kit))
    .use(factorRecoveryRoutes(service.verification, kit))
    .use(invitationRoutes(service.invitations, kit))
    .use(socialPages(service.social, { ...service, pages: withCookies }, kit))
    .use(sessionRoutes(service, kit))
    .use(enrollmentRoutes(service.enrollment, kit))
    .use(trustedDeviceRoutes(service.enrollment, kit))
    .use(enrollmentAtLoginRoutes(service, kit))
    .use(passkeyEnrollmentRoutes(service.enrollment, kit))
    .use(socialRoutes(service.social, kit))
    .use(accessRoutes(service.access, kit))
    .use(administrationRoutes(service.administration, kit))
    .use(roleRoutes(service.administration, kit))
    .use(factorAdministrationRoutes(service.administration, kit))
    .use(apiKeyRoutes(service.administration, kit))
    .use(clientRoutes(service.administration, kit))
    .use(signingKeyAdministrationRoutes(service.administration, kit))
    .use(providerRoutes(service.administration, kit))
    .use(mailAdministrationRoutes(service.administration, kit))
    .use(signingKeyRoutes(service.signingKeys, kit))
    .use(metadataRoutes(service.openid, kit))
    .use(
      passkeyDocumentRoutes(
        { origins: service.factors.passkeyOrigins, page: withCookies && `${config.PUBLIC_URL}/account/security` },
        kit,
      ),
    )
    .use(openIdRoutes(service.openid, kit))
    .use(openIdPages({ ...service, pages }, kit))
    .use(endSessionRoutes({ ...service, pages }, kit))
    .use(deviceRoutes({ ...service, pages }, kit))
  const documentation = createDocumentation({
    openApi: () => createDocument({ routes: elysia.routes, publicUrl: config.PUBLIC_URL }),
  })
  elysia.use(documentationRoutes(documentation, kit, withCookies !== undefined))
  const table = createRouteTable(elysia.routes.map(toRoute))
  const pipeline = createPipeline({
    table,
    guard: createGuard(service.access, kit.requester),
    handle: elysia.fetch,
    pageOf: pages?.refusal,
    logUnknownPaths,
    ...pipelineOptions(service),
  })
  return { fetch: inBatches(pipeline, clock), isProbe: (request) => probePatterns.has(pathOf(request.url)), table }
}

/** What the pages of connected applications and linked identities show. Their features stand above `sign-in`. */
const listsOf = ({ openid, social }: Service): { apps: ConnectedApps; identities: LinkedIdentities } => ({
  apps: {
    list: async (userId) =>
      (await openid.listConsents(userId)).map(({ clientName: name, ...consent }) => ({ name, ...consent })),
    withdraw: (caller, clientId, ip) => openid.withdrawConsent(caller, { clientId, ip }),
  },
  identities: {
    async list(userId) {
      const labels = new Map((await social.listProviders()).map(({ name, label }) => [name, label]))
      return (await social.listIdentities(userId)).map(({ id, provider, email, lastUsedAt }) => ({
        id: String(id),
        label: labels.get(provider) ?? provider,
        email,
        lastUsedAt,
      }))
    },
    providers: (userId) => social.linkable(userId),
    unlink: (caller, id, from) => social.unlinkOwn(caller, { id, ...from }),
  },
})

/**
 * Makes a `Route` out of a route of Elysia.
 * @throws Error for a route without an access word, and for an open or writing route without a limit. A server must not
 * start with such a route
 */
function toRoute({ method, path, hooks }: ElysiaRoute): Route {
  const detail = (hooks.detail ?? {}) as {
    'x-access'?: Access
    'x-limit'?: Limit
    'x-oauth'?: boolean
    'x-proxied'?: boolean
    'x-page'?: boolean
    'x-secret'?: boolean
    'x-fresh'?: boolean
  }
  const { 'x-access': access, 'x-limit': limit, 'x-oauth': oauth = false, 'x-proxied': proxied = false } = detail
  if (access === undefined) throw new Error(`${method} ${path} has no access word`)
  if (limit === undefined && (access === 'open' || method !== 'GET'))
    throw new Error(`${method} ${path} is open or writes, and names no limit`)
  const secret = detail['x-secret'] ?? false
  const page = detail['x-page'] ?? false
  const fresh = detail['x-fresh'] ?? false
  const statuses = Object.keys((hooks.response ?? {}) as object).map(Number)
  return { method, pattern: path, access, limit, oauth, secret, proxied, fresh, page, statuses }
}

interface ElysiaRoute {
  method: string
  path: string
  hooks: { detail?: unknown; response?: unknown }
}
