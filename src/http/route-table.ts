/**
 * Who may call a route: anyone (`open`), the user of an access token (`user`, or `existing-user` where a deleted user
 * gets `user_not_found`), or a caller with the permission of this name.
 */
export type Access = 'open' | 'user' | (string & {})

/**
 * The first words of the rules (`features/limits/rules.ts`) that limit a route, or the reason why the route needs no
 * limit.
 */
export type Limit = LimitWord | readonly LimitWord[] | { none: string }

type LimitWord = 'login' | 'register' | 'account' | 'client' | 'mail' | 'code'

/** A route as the pipeline uses it. */
export interface Route {
  method: string
  /** The path as registered, with `:name` for parameters. Logs and metrics group requests by pattern. */
  pattern: string
  access: Access
  /** Every route that is open, that writes or that checks a password has a limit. */
  limit?: Limit
  /** True when the errors of the route have the members of RFC 6749 section 5.2. */
  oauth: boolean
  /** True when an API key may come as a client secret: by Basic, or as `client_secret` in a form. */
  secret: boolean
  /**
   * True when proxies ask this route about other requests. A proxy sends the method of the other request and may append
   * its path and query to the pattern. The route therefore answers every method as GET, and every path below the
   * pattern as the pattern without a query.
   */
  proxied: boolean
  /** The statuses that the route declares for its answers. */
  statuses: readonly number[]
}

export interface RouteTable {
  routes: readonly Route[]
  /** The route of a path. The path is not decoded, so each route has one spelling. */
  find(method: string, path: string): Route | undefined
  /** Returns the `proxied` route whose pattern is this path or a path above it. */
  proxied(path: string): Route | undefined
  /** Whether a route of this path has `oauth`, so that a refusal before the route is found follows RFC 6749 too. */
  isOAuth(path: string): boolean
  /** The methods of a path, with `OPTIONS`, and with `HEAD` where there is `GET`; empty for a path without routes. */
  allowed(path: string): string[]
}

/** Finds routes by method and path, and the methods of a path. Elysia has no function for either. */
export function createRouteTable(routes: readonly Route[]): RouteTable {
  const exact = new Map<string, Map<string, Route>>()
  const patterns: { match: RegExp; methods: Map<string, Route> }[] = []
  for (const [pattern, ofPattern] of Map.groupBy(routes, (route) => route.pattern)) {
    const methods = new Map(ofPattern.map((route) => [route.method, route]))
    if (pattern.includes(':')) patterns.push({ match: toRegExp(pattern), methods })
    else exact.set(pattern, methods)
  }
  const methodsOf = (path: string) => exact.get(path) ?? patterns.find(({ match }) => match.test(path))?.methods
  const proxied = routes.filter((route) => route.proxied)
  return {
    routes,
    find: (method, path) => methodsOf(path)?.get(method),
    proxied: (path) => proxied.find(({ pattern }) => path === pattern || path.startsWith(`${pattern}/`)),
    isOAuth: (path) => [...(methodsOf(path)?.values() ?? [])].some(({ oauth }) => oauth),
    allowed(path) {
      const methods = methodsOf(path)
      if (!methods) return []
      return [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort()
    },
  }
}

/**
 * A path parameter matches every character that a segment may contain unencoded (RFC 3986 section 3.3). An invalid
 * parameter then still finds its route, and the credential is checked first. A percent-encoded segment matches no
 * route: it could contain NUL or invalid UTF-8, or be a second spelling. No id, key id or name of a role or permission
 * needs percent-encoding. A dot segment matches no route either.
 */
const parameter = "(?!\\.{1,2}(?:/|$))[A-Za-z0-9._~:@!$&'()*+,;=-]+"

const toRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('/')
      .map((part) => (part.startsWith(':') ? parameter : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
      .join('/')}$`,
  )

/** The path of an absolute URL, without its query. */
export function pathOf(url: string): string {
  const target = targetOf(url)
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/** The path of an absolute URL, with its query. */
export function targetOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  return start === -1 ? '/' : url.slice(start)
}
