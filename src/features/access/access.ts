import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { ApiKeyCaller, ApiKeys } from '../api-keys/api-keys.ts'
import type { Roles } from '../roles/roles.ts'
import type { SessionCaller, Sessions } from '../sessions/sessions.ts'
import type { AccessTokens } from '../tokens/tokens.ts'
import type { User } from '../users/users.ts'
import { authorize } from './authorize.ts'
import { checkCondition } from './forward-auth.ts'
import { type Introspection, introspect } from './introspect.ts'

export type { Introspection } from './introspect.ts'

export interface AccessNeeds {
  sessions: Sessions
  apiKeys: ApiKeys
  roles: Roles
  tokens: AccessTokens
  /** `PUBLIC_URL`. */
  issuer: string
}

/** Decides what a caller with an access token or an API key may do. */
export interface Access {
  /**
   * Checks a bearer token against the access word of a route. `user` and `existing-user` require the access token of a live
   * session. Any other word is a permission that the API key or the token's user must hold.
   * @throws KeywardError `invalid_token`, `user_not_found`, `forbidden`
   */
  authorize(token: string, access: string): MaybePromise<SessionCaller | ApiKeyCaller>
  /**
   * Checks the condition of a forward-auth request: `?role=`, `?permission=` or both, which the user must hold. An
   * unknown, empty or repeated parameter is refused, so that a misspelt condition is never ignored.
   * @throws KeywardError `forbidden`
   */
  checkCondition(user: User, url: string): Promise<void>
  /**
   * Tells whether a token is valid now (RFC 7662), by its signature, session, epoch and user. Username and roles are the
   * current ones. Introspection never rotates a refresh token and never counts as its reuse.
   */
  introspect(token: string): Promise<Introspection>
}

export const createAccess = (needs: AccessNeeds): Access => ({
  authorize: (token, access) => authorize(needs, token, access),
  checkCondition: (user, url) => checkCondition(needs, user, url),
  introspect: (token) => introspect(needs, token),
})
