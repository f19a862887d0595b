import { type Clock, type EpochMs, SECOND } from '../../lib/clock.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { type Random, randomId } from '../../lib/random.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'
import { checkClaims } from './claims.ts'
import { sign, verify } from './jws.ts'
import { createProxyTokens, type ProxyTokenSubject } from './proxy-token.ts'
import { createVerifiedCache } from './verified-cache.ts'

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

export { sign } from './jws.ts'

/** The claims that Keyward itself uses. Keyward reads all other data of the user and the session from the database. */
export interface AccessTokenClaims {
  userId: number
  sessionId: string
  generation: number
  /** The claim `auth_time`: the time at which a credential was last checked before the token was made. */
  authTime: EpochMs
}

export interface AccessTokens {
  /**
   * Signs an access token.
   * @returns `expiresIn` in seconds
   * @throws KeyringError when there is no signing key; RangeError when the token would be longer than 8 KiB
   */
  mint(subject: TokenSubject): { token: string; expiresIn: number }
  /**
   * Returns the claims of an access token that has an accepted signature, the configured issuer and audience, and has
   * not expired; undefined for any other text. The session may have ended. When the `kid` is unknown, `verifyFresh`
   * reads the signing keys from the database, because another replica may have added the key. Only a token with a
   * well-formed header and the right `typ` causes this read. All calls during a running read share the next read.
   */
  verifyFresh(token: string): MaybePromise<AccessTokenClaims | undefined>
  /**
   * Returns all claims of an access token; undefined when the token is not valid now. Call `verifyFresh` first, because
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

interface AccessTokensNeeds {
  signingKeys: Pick<SigningKeys, 'signing' | 'find' | 'reload' | 'onDrop'>
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
}

/**
 * Makes and verifies access tokens (RFC 9068). With `JWT_COMPAT=fastapi`, access tokens have the form that FastAPI
 * services read: `typ` is `JWT`, `sub` is the username, `uid` is the user id, and there is no `aud`, because the
 * library python-jose refuses an unexpected `aud`.
 */
export function createAccessTokens({ signingKeys, clock, random, settings }: AccessTokensNeeds): AccessTokens {
  const { issuer, lifetime } = settings
  const compat = settings.compat === 'fastapi'
  const typ = compat ? 'JWT' : 'at+jwt'
  const audience = compat ? undefined : (settings.audience ?? issuer)
  const carried = new Set(settings.claims)
  const cache = createVerifiedCache<AccessTokenClaims>()
  signingKeys.onDrop(cache.dropKey)
  const mintProxyToken = createProxyTokens({ signingKeys, clock, random, issuer })

  function readClaims(payload: Record<string, unknown>): AccessTokenClaims | undefined {
    const { sub, uid, sid, gen, auth_time: authTime } = payload
    const userId = compat ? uid : typeof sub === 'string' && /^[1-9]\d{0,15}$/.test(sub) ? Number(sub) : undefined
    if (typeof userId !== 'number' || !Number.isSafeInteger(userId) || typeof sid !== 'string') return undefined
    if (typeof gen !== 'number' || !Number.isSafeInteger(gen) || gen < 0) return undefined
    // A token without `auth_time` gets the time 0, so that no route accepts the token as proof of a recent login.
    return { userId, sessionId: sid, generation: gen, authTime: typeof authTime === 'number' ? authTime * SECOND : 0 }
  }

  function verifyToken(token: string, onUnknownKey?: () => void): AccessTokenClaims | undefined {
    const now = clock.now()
    const known = cache.get(token, now)
    if (known) return known.claims
    const findKey = (kid: string | undefined) => {
      const key = signingKeys.find(kid)
      if (key === undefined && kid !== undefined) onUnknownKey?.()
      return key
    }
    const jws = verify(token, findKey, { typ })
    const times = jws && checkClaims(jws.payload, { issuer, audience, now })
    const claims = times && readClaims(jws.payload)
    if (!claims) return undefined
    cache.set(token, {
      claims,
      kid: jws.header.kid ?? '',
      notBefore: (times.nbf ?? 0) * SECOND,
      expiresAt: times.exp * SECOND,
    })
    return claims
  }

  const read = (token: string): Record<string, unknown> | undefined =>
    verifyToken(token)
      ? (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>)
      : undefined

  return {
    mint(subject) {
      const iat = Math.floor(clock.now() / SECOND)
      // `JSON.stringify` in `sign` omits the undefined members.
      const claims = {
        iss: issuer,
        sub: compat ? subject.username : String(subject.userId),
        uid: compat ? subject.userId : undefined,
        aud: audience,
        exp: iat + lifetime / SECOND,
        iat,
        jti: randomId(random),
        sid: subject.sessionId,
        gen: subject.generation,
        client_id: 'keyward',
        username: carried.has('username') ? subject.username : undefined,
        email: carried.has('email') ? subject.email : undefined,
        email_verified: carried.has('email_verified') ? subject.emailVerified : undefined,
        roles: carried.has('roles') ? subject.roles : undefined,
        amr: subject.amr,
        scope: subject.scope,
        auth_time: Math.floor(subject.authTime / SECOND),
      }
      return { token: sign(signingKeys.signing(), claims, typ), expiresIn: lifetime / SECOND }
    },

    verifyFresh(token) {
      let unknown = false
      const claims = verifyToken(token, () => {
        unknown = true
      })
      if (!unknown) return claims
      return signingKeys.reload().then(() => verifyToken(token))
    },

    read,

    mintForProxy(shown, subject) {
      const exp = compat ? undefined : read(shown)?.exp
      return typeof exp === 'number' ? mintProxyToken(shown, exp, subject) : undefined
    },
  }
}
