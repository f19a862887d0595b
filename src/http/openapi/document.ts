import manifest from '../../../package.json' with { type: 'json' }
import { documentedHeaders } from './headers.ts'
import { type Components, type DocumentedRoute, type Draft, mendOperation } from './operation.ts'
import { createSchemaBook } from './schema.ts'

export interface DocumentOptions {
  /** As Elysia lists them, the document's own route among them. */
  routes: readonly DocumentedRoute[]
  /** Where clients reach the service; no slash at the end. */
  publicUrl: string
  /** Of parameters, by name, where the route itself has none. */
  examples: Record<string, unknown>
}

/** An OpenAPI 3.1 document, ready for `JSON.stringify`. */
export interface OpenApiDocument extends Record<string, unknown> {
  paths: Record<string, Record<string, unknown>>
}

/**
 * Describes the service. @elysiajs/swagger finds the paths, parameters and words of the routes; what it says of media
 * types, security and refusals is replaced, because it guesses those.
 * @throws Error for a route that cannot be described truly: a body without a parser of ours, two schemas of one title
 */
export async function createDocument({ routes, publicUrl, examples }: DocumentOptions): Promise<OpenApiDocument> {
  const draft = await draftOf(routes)
  const components: Components = { schemas: createSchemaBook(), responses: new Map(), examples }
  const paths: OpenApiDocument['paths'] = {}
  for (const route of inTagOrder(routes)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    const method = route.method.toLowerCase()
    const operation = await mendOperation(route, draft.paths[path]![method]!, components)
    paths[path] = { ...paths[path], [method]: operation }
  }
  const used = JSON.stringify([paths, [...components.responses]])
  const headers = Object.entries(documentedHeaders).filter(([name]) => used.includes(`#/components/headers/${name}"`))
  const schemes = Object.entries(securitySchemes(publicUrl)).filter(([name]) => used.includes(`{"${name}":[]}`))
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
      securitySchemes: Object.fromEntries(schemes),
      schemas: Object.fromEntries(components.schemas.named),
      responses: Object.fromEntries(components.responses),
      headers: Object.fromEntries(headers),
    },
  }
}

/** The plugin is loaded when somebody asks: it brings a megabyte of page themes that the service never needs. */
async function draftOf(routes: readonly DocumentedRoute[]): Promise<{ paths: Record<string, Record<string, Draft>> }> {
  const { swagger } = await import('@elysiajs/swagger')
  // The routes are handed to it as they are: mounting it beside them would serve its page, which loads from a CDN.
  const plugin: object = swagger({ path: '/page', specPath: '/document', excludeStaticFile: false })
  Object.assign(plugin, { getGlobalRoutes: () => routes })
  const answer = await (plugin as { handle(request: Request): Promise<Response> }).handle(
    new Request('http://localhost/document'),
  )
  return (await answer.json()) as { paths: Record<string, Record<string, Draft>> }
}

/** What the routes are grouped by, in the order in which a reader meets them. */
const tagDescriptions: Record<string, string> = {
  accounts: 'Register, read, change and delete the own account',
  tokens: 'Log in, and get, renew, judge and revoke tokens',
  sessions: 'Where the account is logged in, and logging out',
  email: 'Prove an address, reset a password, log in by mail',
  users: 'Administration: users',
  roles: 'Administration: roles and what they permit',
  'api-keys': 'Administration: keys for services',
  audit: 'Administration: what happened, and who did it',
  keys: 'The keys that sign access tokens',
  mail: 'Administration: mail that waits or failed',
  operation: 'For load balancers and monitoring',
  documentation: 'This page, and the document behind it',
}

const tagOf = ({ hooks }: DocumentedRoute): string => (hooks.detail?.tags as string[] | undefined)?.[0] ?? ''

function inTagOrder(routes: readonly DocumentedRoute[]): DocumentedRoute[] {
  const order = Object.keys(tagDescriptions)
  return [...routes].sort((a, b) => order.indexOf(tagOf(a)) - order.indexOf(tagOf(b)))
}

const securitySchemes = (publicUrl: string) => ({
  password: {
    type: 'oauth2',
    description: 'Logs in with username and password (RFC 6749 section 4.3); leave the client empty',
    flows: { password: { tokenUrl: `${publicUrl}/token`, scopes: {} } },
  },
  bearer: { type: 'http', scheme: 'bearer', description: 'An access token, or an API key, that you already have' },
  metrics: { type: 'http', scheme: 'bearer', description: 'The METRICS_TOKEN of the configuration' },
})

const description = `Registration, login, tokens and sessions.

**Errors** are problem details (RFC 9457). \`detail\` is a sentence for a person, \`code\` a stable word for a program.
The routes of OAuth add \`error\` and \`error_description\` (RFC 6749 section 5.2).

**Tokens** are taken from the \`Authorization\` header alone. The credential is judged before the body.

**Bodies** are JSON unless an operation says otherwise, at most 64 KiB; members that nobody knows are ignored.

**Every path** answers \`OPTIONS\` with the methods it takes, another method with \`405\`, and \`HEAD\` where it takes
\`GET\`. It has one spelling: percent-encoded it is unknown, and \`404\` whoever asks. With a malformed \`Host\` it is
\`400\`. Every answer carries an \`X-Request-Id\`: the one that was sent, or a new one.`
