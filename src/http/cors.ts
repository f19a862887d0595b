const exposed = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Location, WWW-Authenticate'

export interface Cors {
  /** Adds the CORS headers to an answer for a listed origin. */
  decorate(request: Request, response: Response): void
  /** The answer to a preflight request of a listed origin; undefined for any other request. */
  preflight(request: Request, allowed: readonly string[]): Response | undefined
}

/** CORS for an exact list of origins, never with credentials, since Keyward reads no cookies. */
export function createCors(origins: readonly string[]): Cors {
  const listed = new Set(origins)
  const originOf = (request: Request) => {
    const origin = request.headers.get('origin')
    return origin !== null && listed.has(origin) ? origin : undefined
  }
  return {
    decorate(request, response) {
      if (listed.size === 0) return
      response.headers.append('vary', 'Origin')
      const origin = originOf(request)
      if (origin === undefined) return
      response.headers.set('access-control-allow-origin', origin)
      response.headers.set('access-control-expose-headers', exposed)
    },
    preflight(request, allowed) {
      if (originOf(request) === undefined || !request.headers.has('access-control-request-method')) return undefined
      return new Response(null, {
        status: 204,
        headers: {
          allow: allowed.join(', '),
          'access-control-allow-methods': allowed.join(', '),
          'access-control-allow-headers': 'Authorization, Content-Type, X-Request-Id',
          'access-control-max-age': '600',
        },
      })
    },
  }
}
