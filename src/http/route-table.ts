/** A word that says who may call a route: anyone, the bearer of a live token, or a holder of a permission. */
export type Access = 'open' | 'user' | (string & {})

/** The limits (`features/limits/rules.ts`) that a route counts against, or why it needs none. */
export type Limit = 'login' | 'register' | { none: string }

/** What the kit knows of a route without Elysia. */
export interface Route {
  method: string
  /** As registered, with `:name` for parameters; what logs and metrics group by. */
  pattern: string
  access: Access
  /** Every open route says; of the others those that check a password. */
  limit?: Limit
  /** Errors follow RFC 6749 section 5.2. */
  oauth: boolean
  /** Those it declares that it can answer with. */
  statuses: readonly number[]
}

export interface RouteTable {
  routes: readonly Route[]
  /** The route for a path as it stands in the request, undecoded: one spelling, one route. */
  find(method: string, path: string): Route | undefined
  /** Methods that the path takes, `OPTIONS` among them; empty for a path that is not there. */
  allowed(path: string): string[]
}

/** Finds routes by method and path, and the methods of a path, which Elysia does not tell. */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const exact = new Map<string, Map<string, Route>>()
  const patterns: { match: RegExp; methods: Map<string, Route> }[] = []
  for (const [pattern, methods] of groupByPattern(routes)) {
    if (pattern.includes(':')) patterns.push({ match: toRegExp(pattern), methods })
    else exact.set(pattern, methods)
  }
  const methodsOf = (path: string) => exact.get(path) ?? patterns.find(({ match }) => match.test(path))?.methods
  return {
    routes,
    find: (method, path) => methodsOf(path)?.get(method),
    allowed(path) {
      const methods = methodsOf(path)
      if (!methods) return []
      return [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort()
    },
  }
}

function groupByPattern(routes: readonly Route[]): Map<string, Map<string, Route>> {
  const groups = new Map<string, Map<string, Route>>()
  for (const route of routes) {
    const methods = groups.get(route.pattern) ?? new Map<string, Route>()
    groups.set(route.pattern, methods.set(route.method, route))
  }
  return groups
}

/**
 * What a parameter in a path may be: all that a segment may hold as it is (RFC 3986 section 3.3), so that the credential
 * is judged first whatever the parameter names. What is percent-encoded names no route: it could be NUL, no UTF-8 or a
 * second spelling, and no id, key id or name of a role or permission needs it.
 */
const parameter = "[A-Za-z0-9._~:@!$&'()*+,;=-]+"

const toRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('/')
      .map((part) => (part.startsWith(':') ? parameter : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
      .join('/')}$`,
  )

/** The path of an absolute URL, without its query; the URL comes from Bun or from a test's `Request`. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start === -1) return '/'
  const query = url.indexOf('?', start)
  return query === -1 ? url.slice(start) : url.slice(start, query)
}

/** The path of an absolute URL, with its query. */
export function targetOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  return start === -1 ? '/' : url.slice(start)
}
