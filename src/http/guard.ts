import { Elysia } from 'elysia'
import { KeywardError } from '../errors.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Caller } from './caller.ts'
import type { Access, Limit, Route } from './route-table.ts'

/**
 * Returns the caller of a bearer token when the caller may use the route.
 * @throws KeywardError `invalid_token`, `forbidden`, `user_not_found`
 */
export type Authorize = (token: string, access: Access) => MaybePromise<Caller>

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
 * Checks the credential of a request before its body is read. Open routes need no credential. An open OAuth route
 * refuses client credentials.
 * @throws KeywardError `not_authenticated`, `invalid_client`, and the errors of `authorize`
 */
export const createGuard =
  (authorize: Authorize) =>
  (request: Request, { access, oauth }: Pick<Route, 'access' | 'oauth'>): MaybePromise<Caller | undefined> => {
    if (access !== 'open') return authorize(bearerToken(request), access)
    if (oauth) checkClient(request.headers.get('authorization'))
  }

/**
 * Checks the client authentication of an OAuth request. There are no confidential clients, so only empty credentials
 * pass, which Swagger UI sends (`Basic Og==`).
 */
function checkClient(authorization: string | null): void {
  if (authorization === null || !/^basic(?: |$)/i.test(authorization)) return
  if (authorization.slice(5).trim() !== 'Og==') throw new KeywardError('invalid_client')
}

/**
 * The options of a route: `open: true` with a `limit`, or `access: '…'`. `oauth: true` gives the errors of RFC 6749.
 * `proxied: true` is for a route that proxies ask about other requests. Every open route and every route that is not
 * GET needs a `limit`.
 */
export const accessWords = new Elysia({ name: 'keyward.access' }).macro({
  open: (_: true) => ({ detail: extended({ 'x-access': 'open' }) }),
  access: (word: Exclude<Access, 'open'>) => ({ detail: extended({ 'x-access': word }) }),
  limit: (limit: Limit) => ({ detail: extended({ 'x-limit': limit }) }),
  oauth: (_: true) => ({ detail: extended({ 'x-oauth': true }) }),
  proxied: (_: true) => ({ detail: extended({ 'x-proxied': true }) }),
})

/** The type that Elysia gives `detail` lacks the `x-` members that OpenAPI allows (section 4.9). */
const extended = (detail: Record<`x-${string}`, unknown>): object => detail
