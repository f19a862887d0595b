import { Elysia } from 'elysia'
import { KeywardError } from '../errors.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import { mediaType } from './body.ts'
import type { Caller } from './caller.ts'
import { form } from './parsers.ts'
import type { Access, Limit, Route } from './route-table.ts'

/**
 * Returns the caller of a bearer token when the caller may use the route.
 * @throws KeywardError `invalid_token`, `forbidden`, `user_not_found`
 */
export type Authorize = (token: string, access: Access) => MaybePromise<Caller>

/** The part of the feature `access` that checks credentials. */
export interface Credentials {
  authorize: Authorize
  /**
   * Returns the caller of an API key that came as a client secret. `client` is the network of the request.
   * @throws KeywardError `invalid_client`, `rate_limited`, `forbidden`
   */
  authorizeSecret(secret: string, asked: { access: Access; client: string; ip: string }): Promise<Caller>
}

/**
 * Returns the token of an `Authorization: Bearer` header (RFC 6750 section 2.1). The scheme may have any case (RFC 9110
 * section 11.1). A token in a query or in a form is not read: a query appears in logs, and a form allows CSRF.
 * @returns the text after the scheme, which may not look like a token
 * @throws KeywardError `not_authenticated`
 */
export function bearerToken(request: Request): string {
  const header = request.headers.get('authorization')
  if (header === null) throw new KeywardError('not_authenticated')
  if (!/^bearer(?: |$)/i.test(header))
    throw new KeywardError('not_authenticated', { sentence: 'The Authorization header must begin with "Bearer "' })
  return header.slice(6).trim()
}

/**
 * Checks the credential of a request before its body is read. Open routes need no credential. There are no registered
 * clients, so an open route also ignores client credentials, which many libraries send with each request.
 * @param from gives the network and the address of a request, for the limit of client secrets
 * @returns a function that gives undefined for an open route, and for a form that may contain the client secret. It
 * throws KeywardError `not_authenticated`, `invalid_client` and what `Credentials` throws
 */
export const createGuard =
  ({ authorize, authorizeSecret }: Credentials, from: (request: Request) => { client: string; ip: string }) =>
  (request: Request, { access, secret }: Pick<Route, 'access' | 'secret'>): MaybePromise<Caller | undefined> => {
    if (access === 'open') return undefined
    const authorization = request.headers.get('authorization')
    if (secret && authorization !== null && isBasic.test(authorization)) {
      const sent = basicSecret(authorization)
      if (!sent) throw new KeywardError('invalid_client')
      return authorizeSecret(sent, { access, ...from(request) })
    }
    // A form may contain the secret. The handler of the route then calls `authorizeSecret`.
    if (secret && authorization === null && mediaType(request.headers.get('content-type')) === form) return undefined
    return authorize(bearerToken(request), access)
  }

const isBasic = /^basic(?: |$)/i

/** The password of `Authorization: Basic`, which OAuth clients percent-encode; undefined if the header is malformed. */
function basicSecret(authorization: string): string | undefined {
  const pair = Buffer.from(authorization.slice(5).trim(), 'base64').toString()
  const colon = pair.indexOf(':')
  try {
    return colon === -1 ? undefined : decodeURIComponent(pair.slice(colon + 1))
  } catch {
    return undefined
  }
}

/**
 * The options of a route: `open: true` with a `limit`, or `access: '…'`. `oauth: true` gives the errors of RFC 6749.
 * `secret: true` lets an API key come as a client secret. `proxied: true` is for a route that proxies ask about other
 * requests. Every open route and every route that is not GET needs a `limit`.
 */
export const accessWords = new Elysia({ name: 'keyward.access' }).macro({
  open: (_: true) => ({ detail: extended({ 'x-access': 'open' }) }),
  access: (word: Exclude<Access, 'open'>) => ({ detail: extended({ 'x-access': word }) }),
  limit: (limit: Limit) => ({ detail: extended({ 'x-limit': limit }) }),
  oauth: (_: true) => ({ detail: extended({ 'x-oauth': true }) }),
  secret: (_: true) => ({ detail: extended({ 'x-secret': true }) }),
  proxied: (_: true) => ({ detail: extended({ 'x-proxied': true }) }),
})

/** The type that Elysia gives `detail` lacks the `x-` members that OpenAPI allows (section 4.9). */
const extended = (detail: Record<`x-${string}`, unknown>): object => detail
