import type { Clock, EpochMs } from '../../lib/clock.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { Random } from '../../lib/random.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'
import { accessTokens } from './access-token.ts'
import type { IdTokens } from './id-token.ts'
import type { Level } from './level.ts'
import type { ProxyTokenSubject } from './proxy-token.ts'
import type { RsaSigner } from './rsa-signing.ts'

export type { IdTokenHint, IdTokenSubject, LogoutTokenSubject } from './id-token.ts'
export { sign } from './jws.ts'
export { isLevel, type Level, levelOf, levels, reaches } from './level.ts'
export { createRsaSigner } from './rsa-signing.ts'

/** The `client_id` of the access tokens that no registered client got, such as those of `POST /token` with a password. */
export const OWN_CLIENT = 'keyward'

/** The session and the user of an access token. */
interface TokenSubject {
  userId: number
  sessionId: string
  /** The session's generation. A refresh with the current refresh token raises the generation by one. */
  generation: number
  username: string
  email: string
  emailVerified: boolean
  roles: readonly string[]
  /** The authentication methods of the login, such as `pwd` (RFC 8176). */
  amr: readonly string[]
  /** The time at which a credential was last checked in the session. */
  authTime: EpochMs
  /** The granted scope; undefined if the client asked for no scope. */
  scope?: string
}

/** The session, the user and the client of an access token that a registered client gets for a user. */
export interface ClientTokenSubject {
  userId: number
  sessionId: string
  generation: number
  clientId: string
  /** The granted scopes, separated by spaces. */
  scope: string
  /** The resources (RFC 8707) that may accept the token. Each must be registered for the client. */
  resources: readonly string[]
  amr: readonly string[]
  authTime: EpochMs
  /** Only what the granted scopes allow. */
  username?: string
  email?: string
  emailVerified?: boolean
  roles?: readonly string[]
}

/** The client of an access token without a user (RFC 6749 section 4.4). */
export interface ServiceTokenSubject {
  clientId: string
  /** The granted scopes, separated by spaces; empty for none. */
  scope: string
  resources: readonly string[]
}

/** The claims of an access token without a user that Keyward uses. */
export interface ServiceTokenClaims {
  clientId: string
  scope: string | undefined
  audiences: readonly string[]
}

/** The claims that Keyward itself uses. Keyward reads all other data of the user and the session from the database. */
export interface AccessTokenClaims {
  userId: number
  sessionId: string
  generation: number
  /** The claim `auth_time`: the time at which a credential was last checked before the token was made. */
  authTime: EpochMs
  /** The claim `acr`: the level of the session when the token was made. */
  acr: Level
  /**
   * The client that got the token; `OWN_CLIENT` for none. Only tokens with `OWN_CLIENT` open the routes of Keyward
   * itself.
   */
  clientId: string
  /** The granted scopes, separated by spaces. */
  scope: string | undefined
  audiences: readonly string[]
}

export interface AccessTokens extends IdTokens {
  /**
   * Signs an access token.
   * @returns `expiresIn` in seconds
   * @throws KeyringError when there is no signing key; RangeError when the token would be longer than 8 KiB
   */
  mint(subject: TokenSubject): { token: string; expiresIn: number }
  /**
   * Signs an access token for a registered client. Its audience is `{issuer}/userinfo` and the resources, and never
   * `JWT_AUDIENCE` by itself: neither Keyward nor a service takes it for a token of `mint`.
   * @returns `expiresIn` in seconds
   * @throws KeyringError when there is no signing key; RangeError when the token would be longer than 8 KiB
   */
  mintForClient(subject: ClientTokenSubject): { token: string; expiresIn: number }
  /**
   * Signs an access token for a registered client itself, without a user. Its audience is the resources; without a
   * resource it is `{issuer}/introspect`, so that services have to ask Keyward about the token.
   * @returns `expiresIn` in seconds
   * @throws KeyringError when there is no signing key; RangeError when the token would be longer than 8 KiB
   */
  mintForService(subject: ServiceTokenSubject): { token: string; expiresIn: number }
  /**
   * Returns the claims of an access token of a user that has an accepted signature, the configured issuer and audience,
   * and has not expired, also of a token that a client got; undefined for any other text. The session may have ended. When the `kid` is unknown, `verifyFresh`
   * reads the signing keys from the database, because another replica may have added the key. Only a token with a
   * well-formed header and the right `typ` causes this read. All calls during a running read share the next read.
   */
  verifyFresh(token: string): MaybePromise<AccessTokenClaims | undefined>
  /** As `verifyFresh`, for an access token without a user, which `mintForService` signed. */
  verifyService(token: string): MaybePromise<ServiceTokenClaims | undefined>
  /**
   * Returns all claims of an access token, with or without a user; undefined when the token is not valid now. Call `verifyFresh` first, because
   * `read` does not look for new signing keys in the database.
   */
  read(token: string): Record<string, unknown> | undefined
  /**
   * Makes the proxy token of `/forward-auth`: a signed token that tells a service behind a proxy which user sent the
   * access token `shown`. Keyward itself accepts no proxy token.
   * @returns undefined when `shown` is not valid, and with `JWT_COMPAT=fastapi`: the services of that mode do not check
   *   the type of a token and would accept a proxy token as an access token
   */
  mintForProxy(shown: string, subject: ProxyTokenSubject): string | undefined
}

export interface AccessTokensNeeds {
  signingKeys: Pick<
    SigningKeys,
    'signing' | 'find' | 'reload' | 'onDrop' | 'forIdTokens' | 'ensureIdTokenKey' | 'findRetired'
  >
  rsaSigner: RsaSigner
  clock: Clock
  random: Random
  settings: AccessTokenSettings
}

interface AccessTokenSettings {
  /** The claim `iss` of the tokens (`PUBLIC_URL`). */
  issuer: string
  /** The claim `aud` of the tokens (`JWT_AUDIENCE`). When undefined, `aud` is the issuer. */
  audience: string | undefined
  /** The form of the tokens (`JWT_COMPAT`); see `createAccessTokens`. */
  compat: 'none' | 'fastapi'
  /** The claims about the user that tokens contain, such as `email` (`TOKEN_CLAIMS`). */
  claims: readonly string[]
  /** The lifetime of a token in milliseconds. */
  lifetime: number
  /** The lifetime of an ID token in milliseconds. */
  idTokenLifetime: number
}

/**
 * Makes and verifies access tokens (RFC 9068). With `JWT_COMPAT=fastapi`, access tokens have the form that FastAPI
 * services read: `typ` is `JWT`, `sub` is the username, `uid` is the user id, and there is no `aud`, because the
 * library python-jose refuses an unexpected `aud`.
 */
export const createAccessTokens = (needs: AccessTokensNeeds): AccessTokens => accessTokens(needs)
