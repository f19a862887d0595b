import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { ApiKeyCaller, ApiKeys } from '../api-keys/api-keys.ts'
import type { Clients } from '../clients/clients.ts'
import type { Factors } from '../factors/factors.ts'
import type { Limits } from '../limits/limits.ts'
import type { Roles } from '../roles/roles.ts'
import type { ClientCaller, SessionCaller, Sessions } from '../sessions/sessions.ts'
import type { AccessTokens } from '../tokens/tokens.ts'
import { authorize } from './authorize.ts'
import { authorizeSecret } from './client-secret.ts'
import { forwardAuth } from './forward-auth.ts'
import { type Introspection, introspect } from './introspect.ts'

export type { Introspection } from './introspect.ts'

export interface AccessNeeds {
  limits: Limits
  sessions: Sessions
  apiKeys: ApiKeys
  clients: Pick<Clients, 'find' | 'authenticate'>
  roles: Roles
  factors: Pick<Factors, 'atLevel'>
  tokens: AccessTokens
  /** The `iss` of an introspected refresh token (`PUBLIC_URL`). */
  issuer: string
}

/** A registered client that has shown its own secret. */
export interface ClientItself {
  kind: 'client-itself'
  clientId: string
  userId?: undefined
}

/** The origin of a request with a client secret. */
export interface Requester {
  /** The network, an IPv4 address or an IPv6 /64. Wrong secrets are counted for each network. */
  client: string
  ip: string
}

/** Decides what a caller with an access token or an API key may do. */
export interface Access {
  /**
   * Checks a bearer token against the access word of a route.
   * - `user` requires the access token of a live session.
   * - `existing-user` also requires the access token of a live session. For a valid token of a deleted user, the error
   *   is `user_not_found`.
   * - `openid` requires the access token of a registered client with the scope `openid`.
   * - Any other word is a permission that the API key or the token's user must have.
   * @param fresh true on a route that needs a recent login or the password. API keys are then `forbidden`, because a
   *   service cannot log in
   * @throws KeywardError `invalid_token`, `insufficient_scope`, `user_not_found`, `forbidden`;
   *   `reauthentication_required` when the user has the permission, but only with a second factor
   */
  authorize(token: string, access: string, fresh?: boolean): MaybePromise<SessionCaller | ApiKeyCaller | ClientCaller>
  /**
   * Checks the secret of a registered client, or an API key that came as a client secret under an id that is not
   * registered (RFC 6749 section 2.3.1). A wrong secret takes
   * a place of the rate limit of its network. This limit never refuses a right secret.
   * @param asked.access the permission that the route needs
   * @throws KeywardError `invalid_client` when the secret is not a valid API key, or `rate_limited` in place of
   *   `invalid_client` when the limit is exhausted; `forbidden` for an API key without the permission
   */
  authorizeSecret(
    sent: { id: string; secret: string },
    asked: { access: string } & Requester,
  ): Promise<SessionCaller | ApiKeyCaller | ClientItself>
  /**
   * Checks that the user has the role of `?role=` and the permission of `?permission=` in a forward-auth request, and the
   * session the level of `?acr=`. Each parameter is optional. An unknown, empty or repeated parameter is refused, because a misspelt condition must not be
   * ignored. `?token=1` asks for a proxy token: a signed token for the service behind the proxy.
   * @param asked.token the access token of the request
   * @returns the headers that name the user to the service
   * @throws KeywardError `forbidden`, also for `?token=1` with `JWT_COMPAT=fastapi`; `reauthentication_required` when
   *   only the level is missing
   */
  forwardAuth(caller: SessionCaller, asked: { url: string; token: string }): Promise<Record<string, string>>
  /**
   * Returns the claims of a valid access token or current refresh token, or `active: false` (RFC 7662). Username and
   * roles are read from the database. Introspection does not rotate a refresh token. Like a request with the access
   * token, introspection ends the retry window of the previous refresh token.
   * @param by.clientId the client that asks. It learns only about its own tokens, of another's only that they are not
   *   active
   */
  introspect(token: string, by?: { clientId: string | undefined }): Promise<Introspection>
}

export const createAccess = (needs: AccessNeeds): Access => ({
  authorize: (token, access, fresh) => authorize(needs, token, access, fresh),
  authorizeSecret: (sent, asked) => authorizeSecret(needs, sent, asked),
  forwardAuth: (caller, asked) => forwardAuth(needs, caller, asked),
  introspect: (token, by) => introspect(needs, token, by?.clientId),
})
