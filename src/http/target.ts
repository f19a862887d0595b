import { pathOf } from './route-table.ts'

/**
 * Tells whether the path that the client sent is also the path of `request.url`, which comes from the URL parser:
 * - `plain`: the paths are equal.
 * - `changed`: the parser replaced `\` or resolved a dot segment, or no route can have this path. Such a request
 *   reaches no route, because a proxy in front may have checked the path as the client sent it.
 * - `below`: the path begins with `BELOW`, and Keyward does not read the rest of the path.
 */
export type Target = 'plain' | 'changed' | 'below'

/**
 * The beginning of the paths to which a proxy sends its forward-auth requests. The proxy may append the path of the
 * request that it checks.
 */
export const BELOW = '/forward-auth/'

type Answer = (request: Request, target: Target) => Promise<Response>
type Segments = Request & { params: Record<string, string> }

/** More segments than the path of any route has. */
const MAX_SEGMENTS = 8

/**
 * Makes the `routes` and `fetch` of `Bun.serve`, which call `answer` with the `Target` of each request. `request.url`
 * comes from Bun's URL parser, but Bun matches `routes` with the path as the client sent it. A route of only parameters
 * therefore joins its parameters to the sent path, and compares the sent path with the path of `request.url`. A request
 * that matches no entry of `routes` is `changed`.
 *
 * The path `/users/me` is requested often. Its own entry saves the comparison.
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
 * Returns the path of `request.url` after the URL parser. When the Host header is missing or malformed, Bun gives the
 * path and query as the client sent them, so this function calls the URL parser.
 */
const parsedPath = (url: string): string => pathOf(url.startsWith('/') ? new URL(`http://localhost${url}`).href : url)
