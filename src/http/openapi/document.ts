import manifest from '../../../package.json' with { type: 'json' }
import { documentedHeaders } from './headers.ts'
import { type Components, type DocumentedRoute, type Draft, mendOperation } from './operation.ts'
import { createSchemaBook } from './schema.ts'

export interface DocumentOptions {
  /** All routes of the service, as `routes` of the Elysia app lists them. */
  routes: readonly DocumentedRoute[]
  /** The address under which clients reach the service (`PUBLIC_URL`), without a slash at the end. */
  publicUrl: string
}

/** An OpenAPI 3.1 document, ready for `JSON.stringify`. */
export interface OpenApiDocument extends Record<string, unknown> {
  paths: Record<string, Record<string, unknown>>
}

/**
 * Makes the OpenAPI document of the service, without the documentation and the pages.
 *
 * @elysiajs/swagger finds the paths and parameters of the routes. It only guesses the media types, the security and the
 * refusals, so `mendOperation` replaces these parts.
 * @throws Error when two different schemas have one title, or when `mendOperation` refuses a route
 */
export async function createDocument({ routes: all, publicUrl }: DocumentOptions): Promise<OpenApiDocument> {
  const routes = all.filter((route) => !['documentation', 'pages'].includes(tagOf(route)))
  const draft = await draftOf(routes)
  const components: Components = { schemas: createSchemaBook(), responses: new Map() }
  const paths: OpenApiDocument['paths'] = {}
  for (const route of inTagOrder(routes)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    const method = route.method.toLowerCase()
    const operation = mendOperation(route, draft.paths[path]![method]!, components)
    paths[path] = { ...paths[path], [method]: operation }
  }
  const used = JSON.stringify([paths, [...components.responses]])
  const usedOf = (all: object, mention: (name: string) => string) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => used.includes(mention(name))))
  return {
    openapi: '3.1.0',
    info: {
      title: 'Keyward',
      version: manifest.version,
      summary: 'User authentication as one executable',
      description,
      license: { name: manifest.license, identifier: manifest.license },
    },
    servers: [{ url: publicUrl }],
    tags: Object.entries(tagDescriptions)
      .filter(([name]) => routes.some((route) => tagOf(route) === name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: usedOf(securitySchemes(publicUrl), (name) => `{"${name}":[]}`),
      schemas: Object.fromEntries(components.schemas.named),
      responses: Object.fromEntries(components.responses),
      headers: usedOf(documentedHeaders, (name) => `#/components/headers/${name}"`),
    },
  }
}

/**
 * Makes the draft of the document with @elysiajs/swagger. The plugin is loaded at the first request for the document,
 * because it contains a megabyte of page themes that Keyward never uses.
 */
async function draftOf(routes: readonly DocumentedRoute[]): Promise<{ paths: Record<string, Record<string, Draft>> }> {
  const { swagger } = await import('@elysiajs/swagger')
  // The routes are passed to the plugin here, and the plugin is not mounted in the service. A mounted plugin would also
  // serve its own page, which loads files from a CDN.
  const plugin: object = swagger({ path: '/page', specPath: '/document', excludeStaticFile: false })
  Object.assign(plugin, { getGlobalRoutes: () => routes })
  const answer = await (plugin as { handle(request: Request): Promise<Response> }).handle(
    new Request('http://localhost/document'),
  )
  return (await answer.json()) as { paths: Record<string, Record<string, Draft>> }
}

/** The groups of operations, in the order in which a new client needs them. */
const tagDescriptions: Record<string, string> = {
  tokens: 'Log in, and refresh, check and revoke tokens',
  accounts: 'Register, read and change your account',
  factors: 'Add, change and remove your second factors',
  sessions: 'See where you are logged in, and log out',
  openid: 'Sign people in to other applications: OpenID Connect and OAuth 2.0 for registered clients',
  administration: 'List, read and change the accounts of others',
  keys: 'The public keys that verify access tokens',
  operation: 'For load balancers and monitoring',
  compatibility: 'The second spellings of the FastAPI services that Keyward replaces; new clients use the first ones',
}

const tagOf = ({ hooks }: DocumentedRoute): string => (hooks.detail?.tags as string[] | undefined)?.[0] ?? ''

function inTagOrder(routes: readonly DocumentedRoute[]): DocumentedRoute[] {
  const order = Object.keys(tagDescriptions)
  return [...routes].sort((a, b) => order.indexOf(tagOf(a)) - order.indexOf(tagOf(b)))
}

const securitySchemes = (publicUrl: string) => ({
  password: {
    type: 'oauth2',
    description: 'Log in with your username or email address',
    flows: { password: { tokenUrl: `${publicUrl}/token`, scopes: {} } },
  },
  bearer: { type: 'http', scheme: 'bearer', description: 'An access token or an API key that you already have' },
  clientSecret: { type: 'http', scheme: 'basic', description: 'An API key as the password, with any name' },
  metricsToken: { type: 'http', scheme: 'bearer', description: 'The METRICS_TOKEN of the configuration' },
})

const description = `Registration, login, tokens and sessions.

**Errors** are problem details (RFC 9457): \`detail\` is a sentence for a person, \`code\` a stable word for a program. The routes of OAuth, such as \`/token\`, send the same members as \`application/json\`, with \`error\` and \`error_description\` (RFC 6749 section 5.2).
Every answer has an \`X-Request-Id\` that names it in the server's log.

**Tokens** are read from the \`Authorization\` header only. An access token expires after minutes; \`refreshTokens\`
exchanges a refresh token for a new pair, and each refresh token is for one use.

**A path with one slash too many** at its end is answered by 307 with a relative \`Location\`, the path without the slash.

**Members that a route does not know** in a body have no effect and are not refused. Unknown parameters of a query are refused by every route that takes parameters.`
