import { pathOf } from './route-table.ts'

/**
 * How the path that the client sent differs from that of `request.url`, which has been through the URL parser:
 * - `plain`: not at all.
 * - `changed`: the parser replaced `\` or resolved a dot segment, or no route can have this path. A proxy in front may
 *   have judged the path as it was sent, so such a request reaches no route.
 * - `below`: it begins with `BELOW`, and the rest is not read.
 */
export type Target = 'plain' | 'changed' | 'below'

/** Below it the path of a request is that of the request which a proxy asks about. */
export const BELOW = '/forward-auth/'

type Answer = (request: Request, target: Target) => Promise<Response>
type Segments = Request & { params: Record<string, string> }

/** More segments than any route has. */
const MAX_SEGMENTS = 8

/**
 * The part of `Bun.serve`'s options that tells the target of a request. Bun shows a request's path only through its
 * URL parser, but compares its own `routes` with the path as it was sent. So routes of one, two and more parameters,
 * with and without a slash at the end, give the segments of that path.
 *
 * `/users/me` is named because a request for it then needs no comparison.
 */
export function servedTargets(answer: Answer): {
  routes: Record<string, (request: Segments) => Promise<Response>>
  fetch: (request: Request) => Promise<Response>
} {
  const plain = (request: Request) => answer(request, 'plain')
  const below = (request: Request) => answer(request, 'below')
  const routes: Record<string, (request: Segments) => Promise<Response>> = {
    '/': plain,
    '/users/me': plain,
    [`${BELOW}*`]: below,
  }
  const names: string[] = []
  for (let at = 0; at < MAX_SEGMENTS; at++) {
    names.push(`s${at}`)
    const segments = [...names]
    const pattern = segments.map((name) => `/:${name}`).join('')
    for (const end of ['', '/'])
      routes[pattern + end] = (request) => {
        const { params, url } = request
        let sent = ''
        for (const name of segments) sent += `/${params[name]}`
        return answer(request, parsedPath(url) === sent + end ? 'plain' : 'changed')
      }
  }
  return { routes, fetch: (request) => answer(request, 'changed') }
}

/** Without a Host header, as HTTP/1.0 allows, Bun's URL is the target as it was sent. */
const parsedPath = (url: string): string => pathOf(url.startsWith('/') ? new URL(`http://localhost${url}`).href : url)
