import { Elysia } from 'elysia'
import { KeywardError } from '../errors.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { Principal } from './principal.ts'
import type { Access, Limit, Route } from './route-table.ts'

/**
 * Turns the text of a bearer token into who it speaks for, if they may do what `access` names; undefined for a token
 * that speaks for no user.
 */
export type Authorize = (token: string, access: Access) => MaybePromise<Principal | undefined>

/**
 * The token of an `Authorization: Bearer` header (RFC 6750 section 2.1), the scheme in any case (RFC 9110 section 11.1).
 * No other place is looked at: a token in a query ends in logs, one in a form is a CSRF hole.
 * What stands there need not look like a token; who takes it refuses what is none.
 * @throws KeywardError `not_authenticated` without one
 */
export function bearerToken(request: Request): string {
  const header = request.headers.get('authorization')
  if (header === null || !/^bearer(?: |$)/i.test(header)) throw new KeywardError('not_authenticated')
  return header.slice(6).trim()
}

/**
 * Judges the credential before anything of the body is read. Open routes pass, OAuth ones unless they name a client.
 * @throws KeywardError `not_authenticated`, `invalid_client`, and what `authorize` throws
 */
export const createGuard =
  (authorize: Authorize) =>
  (request: Request, { access, oauth }: Pick<Route, 'access' | 'oauth'>): MaybePromise<Principal | undefined> => {
    if (access !== 'open') return authorize(bearerToken(request), access)
    if (oauth) checkClient(request.headers.get('authorization'))
  }

/**
 * Judges the client authentication of an OAuth request. Keyward has no confidential clients yet: none, or the empty one
 * that Swagger UI sends (`Basic Og==`), passes.
 */
function checkClient(authorization: string | null): void {
  if (authorization === null || !/^basic(?: |$)/i.test(authorization)) return
  if (authorization.slice(5).trim() !== 'Og==') throw new KeywardError('invalid_client')
}

/**
 * The words that every route carries: `open: true` with a `limit`, or `access: '…'`, and `oauth: true` for errors after
 * RFC 6749. They are data: the kit reads them from the route to guard it, tests hold `limit`, and OpenAPI shows them.
 */
export const accessWords = new Elysia({ name: 'keyward.access' }).macro({
  open: (_: true) => ({ detail: extended({ security: [], 'x-access': 'open' }) }),
  access: (word: Exclude<Access, 'open'>) => ({ detail: extended({ security: [{ bearer: [] }], 'x-access': word }) }),
  limit: (limit: Limit) => ({ detail: extended({ 'x-limit': limit }) }),
  oauth: (_: true) => ({ detail: extended({ 'x-oauth': true }) }),
})

/** Elysia's type for `detail` knows no `x-` members, which OpenAPI allows (section 4.9). */
const extended = (detail: { security?: Record<string, string[]>[]; [extension: `x-${string}`]: unknown }) =>
  detail as { security?: Record<string, string[]>[] }
