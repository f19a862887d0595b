import { isOrigin } from '../config/formats.ts'
import type { Log } from '../lib/log.ts'
import type { CrossOrigin } from './route-table.ts'

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

export interface Cors {
  /**
   * Adds the CORS headers to the response when the `Origin` of the request is in the list, or may read the route. When
   * that depends on the origin, also adds `Vary: Origin`, so that a cache does not use the response for another origin.
   * @param readers the word `crossOrigin` of the route
   */
  decorate(request: Request, response: Response, readers?: CrossOrigin): void
  /**
   * Returns the answer to a preflight request from an origin that may read the route; undefined for any other `OPTIONS`
   * request.
   * @param allowed the methods of the path
   */
  preflight(request: Request, allowed: readonly string[], readers?: CrossOrigin): Response | undefined
}

/**
 * Makes the CORS rules for an exact list of origins. Credentials such as cookies are never allowed, because Keyward
 * reads no cookies. The answer to a preflight request may therefore grant any header that a page asks for.
 * @param onUnlisted called for each response to a request whose `Origin` may not read it
 * @param clientOrigins the origins of public clients, which may read the routes of `crossOrigin: 'clients'`
 */
export function createCors(
  origins: readonly string[],
  onUnlisted: (origin: string, request: Request) => void = () => {},
  clientOrigins: () => ReadonlySet<string> = () => new Set(),
): Cors {
  const listed = new Set(origins)
  const mayRead = (origin: string, readers: CrossOrigin | undefined) =>
    readers === 'everyone' || listed.has(origin) || (readers === 'clients' && clientOrigins().has(origin))
  return {
    decorate(request, response, readers) {
      const isForAll = readers === 'everyone'
      if (!isForAll && (listed.size > 0 || readers === 'clients')) response.headers.append('vary', 'Origin')
      const origin = request.headers.get('origin')
      // A cache may give the answer without an Origin to a page, so an answer for everyone always has the header.
      if (isForAll) response.headers.set('access-control-allow-origin', '*')
      if (origin === null) return
      if (!mayRead(origin, readers)) return onUnlisted(origin, request)
      if (!isForAll) response.headers.set('access-control-allow-origin', origin)
      response.headers.set('access-control-expose-headers', exposed)
    },
    preflight({ headers }, allowed, readers) {
      const origin = headers.get('origin')
      if (origin === null || !mayRead(origin, readers) || !headers.has('access-control-request-method'))
        return undefined
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
