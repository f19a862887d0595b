import { Elysia } from 'elysia'
import { KeywardError } from '../errors.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import { mediaType } from './body.ts'
import type { AnyCaller } from './caller.ts'
import { form } from './parsers.ts'
import type { Access, Limit, Route } from './route-table.ts'
import { basicCredentials, isBasic } from './sent-client.ts'

/**
 * Returns the caller of a bearer token.
 * @throws KeywardError `invalid_token`, `forbidden` or `user_not_found` when the caller may not use a route with this
 * access word; `forbidden` for an API key when `fresh` is true; `database_busy` or `database_unavailable`
 */
export type Authorize = (token: string, access: Access, fresh: boolean) => MaybePromise<AnyCaller>

/** The functions of the feature `access` that the guard calls. */
export interface Credentials {
  authorize: Authorize
  /**
   * Returns the caller of an API key that was sent as a client secret, or the registered client of a secret.
   * @param asked.client the network of the request, for the rate limit of wrong secrets
   * @throws KeywardError `invalid_client`, `rate_limited`, `forbidden`, `database_busy`, `database_unavailable`
   */
  authorizeSecret(
    sent: { id: string; secret: string },
    asked: { access: Access; client: string; ip: string },
  ): Promise<AnyCaller>
}

/**
 * Returns the token of an `Authorization: Bearer` header (RFC 6750 section 2.1). The scheme may have any case (RFC 9110
 * section 11.1). A token in a query or in a form is not read: a query appears in logs, and a form allows CSRF.
 * @returns the text after the scheme, which may be empty or no token
 * @throws KeywardError `not_authenticated` when the header is missing or has another scheme
 */
export function bearerToken(request: Request): string {
  const header = request.headers.get('authorization')
  if (header === null) throw new KeywardError('not_authenticated')
  if (!/^bearer(?: |$)/i.test(header))
    throw new KeywardError('not_authenticated', { sentence: 'The Authorization header must begin with "Bearer "' })
  return header.slice(6).trim()
}

/**
 * Makes the guard, which checks the credential of a request before its body is read. An open route needs no credential,
 * and its handler reads those of a client itself, if it wants them.
 * @param from returns the network and the address of a request, for the rate limit of wrong client secrets
 * @returns a function that returns the caller; undefined for an open route, and for a form that may contain the client
 * secret. The function throws KeywardError `not_authenticated` and `invalid_client`, and the errors of `authorize` and
 * `authorizeSecret`, which may also reject its promise
 */
export const createGuard =
  ({ authorize, authorizeSecret }: Credentials, from: (request: Request) => { client: string; ip: string }) =>
  (
    request: Request,
    { access, secret, fresh }: Pick<Route, 'access' | 'secret' | 'fresh'>,
  ): MaybePromise<AnyCaller | undefined> => {
    if (access === 'open') return undefined
    const authorization = request.headers.get('authorization')
    if (secret && authorization !== null && isBasic(authorization)) {
      const sent = basicCredentials(request)
      if (!sent?.secret) throw new KeywardError('invalid_client')
      return authorizeSecret(sent, { access, ...from(request) })
    }
    // A form may contain the client secret. The guard does not read the form, so the handler of the route calls
    // `authorizeSecret`.
    if (secret && authorization === null && mediaType(request.headers.get('content-type')) === form) return undefined
    return authorize(bearerToken(request), access, fresh)
  }

/**
 * The access words of routes. A route has `open: true` with a `limit`, or `access` with a permission, `user` or
 * `existing-user`. A route that is not GET needs a `limit` too. Optional words:
 * - `oauth: true`: errors have the members of RFC 6749 section 5.2.
 * - `secret: true`: a client may send its secret, or an API key as one.
 * - `proxied: true`: proxies ask this route about other requests.
 * - `page: true`: an HTML page or a file of pages; see `Route`.
 * - `fresh: true`: the use case calls `Accounts.requireFresh`, and API keys are `forbidden`.
 */
export const accessWords = new Elysia({ name: 'keyward.access' }).macro({
  open: (_: true) => ({ detail: extended({ 'x-access': 'open' }) }),
  access: (word: Exclude<Access, 'open'>) => ({ detail: extended({ 'x-access': word }) }),
  limit: (limit: Limit) => ({ detail: extended({ 'x-limit': limit }) }),
  oauth: (_: true) => ({ detail: extended({ 'x-oauth': true }) }),
  secret: (_: true) => ({ detail: extended({ 'x-secret': true }) }),
  fresh: (_: true) => ({ detail: extended({ 'x-fresh': true }) }),
  page: (_: true) => ({ detail: extended({ 'x-page': true }) }),
  proxied: (_: true) => ({ detail: extended({ 'x-proxied': true }) }),
})

/** Adds the `x-` members that OpenAPI allows (section 4.9) to `detail`. Elysia's type of `detail` lacks them. */
const extended = (detail: Record<`x-${string}`, unknown>): object => detail
