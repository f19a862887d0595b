import { pathOf } from './route-table.ts'

/**
 * The difference between the path that the client sent and the path of `request.url`, which comes from the URL parser:
 * - `plain`: the paths are equal.
 * - `changed`: the parser replaced `\` or resolved a dot segment, or no route can have this path. Such a request
 *   reaches no route, because a proxy in front may have checked the path as the client sent it.
 * - `below`: the path begins with `BELOW`, and the rest of the path is not read.
 */
export type Target = 'plain' | 'changed' | 'below'

/** The beginning of a path to which a proxy appends the path of the request that it asks about. */
export const BELOW = '/forward-auth/'

type Answer = (request: Request, target: Target) => Promise<Response>
type Segments = Request & { params: Record<string, string> }

/** More segments than any route has. */
const MAX_SEGMENTS = 8

/**
 * Makes the `routes` and `fetch` of `Bun.serve`, which give `answer` the `Target` of each request. `request.url` comes
 * from Bun's URL parser, but Bun compares `routes` with the path as the client sent it. Each route of parameters joins
 * them to the sent path and compares it with the path of `request.url`. A request that matches no route is `changed`.
 *
 * `/users/me` has its own route, because a request for this path then needs no comparison.
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

/**
 * Returns the path of `request.url` after the URL parser. Without a valid Host header, `request.url` is the path and
 * query as the client sent them, so they are parsed here.
 */
const parsedPath = (url: string): string => pathOf(url.startsWith('/') ? new URL(`http://localhost${url}`).href : url)
