/**
 * The access word of a route, which says who may call the route:
 * - `open`: anyone.
 * - `user`: a user with the access token of a live session.
 * - `existing-user`: the same users; a deleted user gets `user_not_found` instead of `invalid_token`.
 * - `openid`: a registered client with the access token of a user and the scope `openid`.
 * - any other word: a caller with the permission of this name.
 */
export type Access = 'open' | 'user' | (string & {})

/**
 * The rate limits of a route: the first parts of the names of its rules (`login` stands for `login.account`,
 * `login.name` and so on), or the reason why the route needs no rate limit.
 */
export type Limit = LimitWord | readonly LimitWord[] | { none: string }

type LimitWord =
  | 'login'
  | 'register'
  | 'account'
  | 'client'
  | 'mail'
  | 'code'
  | 'authorize'
  | 'device'
  | 'social'
  | 'mfa'
  | 'factor'
  | 'passkey'

export interface Route {
  method: string
  /** The path as registered, with `:name` for parameters. Logs and metrics group requests by pattern. */
  pattern: string
  access: Access
  /** Every route that is open or is not GET has a limit: `createApp` refuses to start without one. */
  limit?: Limit
  /** True when a refusal of the route has the members of RFC 6749 section 5.2. */
  oauth: boolean
  /**
   * True when a client may send its own secret, or an API key as one: in a Basic `Authorization` header, or as
   * `client_secret` in a form.
   */
  secret: boolean
  /**
   * True when proxies ask this route about other requests. A proxy sends the method of the other request, and may
   * append the path and query of the other request to the pattern. The route therefore answers every method as GET, and
   * every path below the pattern as the pattern without a query.
   */
  proxied: boolean
  /**
   * True when the route may need a credential check of the last 15 minutes: its use case calls `Accounts.requireFresh`.
   * The guard refuses API keys with `forbidden`.
   */
  fresh: boolean
  /**
   * True for an HTML page and for a file of such pages. Answers have no CORS headers and refuse every preflight request.
   * They have `Referrer-Policy: same-origin`: under `no-referrer`, a browser sends a form with `Origin: null`.
   */
  page: boolean
  /** The HTTP statuses that the route declares for its answers. */
  statuses: readonly number[]
}

export interface RouteTable {
  routes: readonly Route[]
  /**
   * Returns the route of this method and path; undefined when there is none. A path is compared without
   * percent-decoding, so only one spelling of a path reaches a route.
   */
  find(method: string, path: string): Route | undefined
  /** Returns the `proxied` route whose pattern is `path` or is above `path`; undefined when there is none. */
  proxied(path: string): Route | undefined
  /**
   * Returns true when a route of this path has `oauth`. A refusal that has no route, such as 405, then follows RFC 6749
   * too.
   */
  isOAuth(path: string): boolean
  /**
   * Returns true when a route of this path is a `page`. Slashes at the end of the path do not count: the answers to
   * `/forgot/`, which redirects, and to `/forgot//`, which is no route, are those of a page too.
   */
  isPage(path: string): boolean
  /**
   * Returns the methods of a path, with `OPTIONS`, and with `HEAD` when there is `GET`; empty for a path without
   * routes.
   */
  allowed(path: string): string[]
}

/** Makes a table that finds routes by method and path, and the methods of a path. Elysia has no function for either. */
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
    isPage: (path) => [...(methodsOf(withoutSlashes(path))?.values() ?? [])].some(({ page }) => page),
    allowed(path) {
      const methods = methodsOf(path)
      if (!methods) return []
      return [...methods.keys(), ...(methods.has('GET') ? ['HEAD'] : []), 'OPTIONS'].sort()
    },
  }
}

/**
 * A path parameter matches every character that a segment may contain unencoded (RFC 3986 section 3.3). An invalid
 * parameter then still finds its route, and the credential is checked before the parameter. A percent-encoded segment
 * matches no route: the segment could contain NUL or invalid UTF-8, or be a second spelling. No user id, key id, role
 * name or permission needs percent-encoding. A dot segment matches no route either.
 */
const parameter = "(?!\\.{1,2}(?:/|$))[A-Za-z0-9._~:@!$&'()*+,;=-]+"

const toRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('/')
      .map((part) => (part.startsWith(':') ? parameter : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
      .join('/')}$`,
  )

function withoutSlashes(path: string): string {
  let end = path.length
  while (path.charCodeAt(end - 1) === SLASH) end--
  return path.slice(0, end)
}

const SLASH = 0x2f

/** Returns the path of an absolute URL, without its query. */
export function pathOf(url: string): string {
  const target = targetOf(url)
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/** Returns the path of an absolute URL, with its query. */
export function targetOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  return start === -1 ? '/' : url.slice(start)
}
