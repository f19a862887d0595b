import { isOrigin } from '../config/formats.ts'
import type { Log } from '../lib/log.ts'

const exposed = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Location, WWW-Authenticate'

/**
 * The request headers that Keyward reads. Every answer to a preflight request grants these headers to the page, whether
 * the page asks for them or not.
 */
const readHeaders = ['Authorization', 'Content-Type', 'X-Request-Id']
const MAX_GRANTED = 32
/**
 * The most bytes of `Access-Control-Allow-Headers`. This limit and `MAX_GRANTED` keep the answer short for every
 * request.
 */
const MAX_GRANTED_LENGTH = 1024
/**
 * A header name (RFC 9110 section 5.1). The name `*` is excluded, because browsers would read a granted `*` as every
 * header.
 */
const headerName = /^(?!\*$)[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** What is public: the metadata and the keys, which no credential protects. Every origin may read it. */
const PUBLIC = '/.well-known/'

/** The routes that a client in a browser calls, besides the pages to which it sends the user. */
const clientPaths = new Set(['/token', '/userinfo', '/revoke'])

export interface Cors {
  /**
   * Adds the CORS headers to the response when the `Origin` of the request may read it. When some origins may, also adds
   * `Vary: Origin`, so that a cache does not use the response for another origin.
   * @param path the path of the request
   */
  decorate(request: Request, response: Response, path: string): void
  /**
   * Returns the answer to a preflight request from an origin that may call the path; undefined for any other `OPTIONS`
   * request.
   * @param allowed the methods of the path
   */
  preflight(request: Request, allowed: readonly string[], path: string): Response | undefined
}

export interface CorsOptions {
  /** The origins that may call every path (`CORS_ORIGINS`). */
  origins: readonly string[]
  /** The origins of registered clients, which may call the routes of clients only. */
  clientOrigins?: () => ReadonlySet<string>
  /** Called for each response to a request whose `Origin` may not read it. */
  onUnlisted?: (origin: string, request: Request) => void
}

/**
 * Makes the CORS rules for exact lists of origins. Credentials such as cookies are never allowed, because only pages
 * read cookies, and pages have no CORS headers. The answer to a preflight request may therefore grant any header that a
 * page asks for.
 */
export function createCors({ origins, clientOrigins = () => noOrigins, onUnlisted }: CorsOptions): Cors {
  const listed = new Set(origins)
  const ofClients = (path: string) =>
    clientPaths.has(path.endsWith('/') ? path.slice(0, -1) : path) ? clientOrigins() : noOrigins
  return {
    decorate(request, response, path) {
      if (path.startsWith(PUBLIC)) return allow(response, '*')
      const clients = ofClients(path)
      if (listed.size > 0 || clients.size > 0) response.headers.append('vary', 'Origin')
      const origin = request.headers.get('origin')
      if (origin === null) return
      if (!listed.has(origin) && !clients.has(origin)) return onUnlisted?.(origin, request)
      allow(response, origin)
    },
    preflight({ headers }, allowed, path) {
      const origin = headers.get('origin')
      if (origin === null || !headers.has('access-control-request-method')) return undefined
      if (!path.startsWith(PUBLIC) && !listed.has(origin) && !ofClients(path).has(origin)) return undefined
      return new Response(null, {
        status: 204,
        headers: {
          allow: allowed.join(', '),
          'access-control-allow-methods': allowed.join(', '),
          'access-control-allow-headers': grantedHeaders(headers.get('access-control-request-headers') ?? ''),
          'access-control-max-age': '600',
        },
      })
    },
  }
}

const noOrigins: ReadonlySet<string> = new Set()

function allow({ headers }: Response, origin: string): void {
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-expose-headers', exposed)
}

/**
 * Returns the headers that Keyward reads and then the headers that the preflight request asks for, each header once.
 * The list ends at `MAX_GRANTED` headers or `MAX_GRANTED_LENGTH` bytes.
 */
function grantedHeaders(requested: string): string {
  const granted = new Map(readHeaders.map((name) => [name.toLowerCase(), name]))
  let length = readHeaders.join(', ').length
  for (const part of requested.split(',')) {
    const name = part.trim()
    if (!headerName.test(name) || granted.has(name.toLowerCase())) continue
    length += name.length + 2
    if (granted.size === MAX_GRANTED || length > MAX_GRANTED_LENGTH) break
    granted.set(name.toLowerCase(), name)
  }
  return [...granted.values()].join(', ')
}

/** The most origins that are logged and kept in memory. A client can send any number of different origins. */
const MAX_NAMED = 20
/**
 * An origin that an administrator can copy from the log into `CORS_ORIGINS`. It has no comma, which separates origins,
 * and no quote, space, `$` or `;`, which a shell would interpret. Other origins are not logged.
 */
const plainOrigin = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._:[\]-]{1,255}$/

/**
 * Returns a function that logs an origin which is not in `CORS_ORIGINS`, once, with the setting that would allow the
 * origin. Otherwise only the browser would show why a front end does not work. Keyward's own origin, from PUBLIC_URL or
 * the Host header, is not logged.
 */
export function createUnlistedOrigins(
  { CORS_ORIGINS, PUBLIC_URL }: { CORS_ORIGINS: readonly string[]; PUBLIC_URL: string },
  log: Log,
): (origin: string, request: Request) => void {
  const own = new URL(PUBLIC_URL).origin
  const named = new Set<string>()
  return (origin, { headers }) => {
    if (named.size === MAX_NAMED || named.has(origin) || !plainOrigin.test(origin) || !isOrigin(origin)) return
    if (origin === own || new URL(origin).host === headers.get('host')) return
    named.add(origin)
    log.warn('origin_not_listed', {
      origin,
      hint: `a web page of this origin calls Keyward, but browsers hide the answers from it: if the page is yours, set CORS_ORIGINS=${[...CORS_ORIGINS, origin].join(',')}`,
    })
  }
}
