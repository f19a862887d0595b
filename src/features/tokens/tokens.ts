import type { Config } from '../../config/schema.ts'
import { type Clock, type EpochMs, MINUTE, SECOND } from '../../lib/clock.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { type Random, randomId } from '../../lib/random.ts'
import type { Keyring } from '../signing-keys/keyring.ts'
import { checkClaims } from './claims.ts'
import { sign, verify } from './jws.ts'
import { createVerifiedCache } from './verified-cache.ts'

/** Whom and what an access token speaks of. */
export interface TokenSubject {
  userId: number
  sessionId: string
  /** Of the session's refresh tokens at the time; see `features/sessions/refresh.ts`. */
  generation: number
  username: string
  email: string
  emailVerified: boolean
  roles: readonly string[]
  /** Authentication methods (RFC 8176). */
  amr: readonly string[]
  /** When a credential was last checked. */
  authTime: EpochMs
}

/** What Keyward itself relies on in a verified token; the rest is read from the database. */
export interface AccessTokenClaims {
  userId: number
  sessionId: string
  generation: number
}

export interface AccessTokens {
  /** Signs a token for a live session; `expiresIn` is in seconds. */
  mint(subject: TokenSubject): { token: string; expiresIn: number }
  /** The claims of a token that we signed, for us, and that has not expired; undefined for anything else. */
  verify(token: string): AccessTokenClaims | undefined
  /**
   * As `verify`, and reads the keys again when the token names one that this process does not know: a token of one
   * replica is good at every other at once. Only a well-formed token costs that read, and readers share it.
   */
  verifyFresh(token: string): MaybePromise<AccessTokenClaims | undefined>
  /** All claims of a token that `verify` takes. */
  read(token: string): Record<string, unknown> | undefined
}

type TokenConfig = Pick<
  Config,
  'PUBLIC_URL' | 'JWT_AUDIENCE' | 'JWT_COMPAT' | 'TOKEN_CLAIMS' | 'ACCESS_TOKEN_EXPIRE_MINUTES'
>

/**
 * Access tokens as RFC 9068 has them. With `JWT_COMPAT=fastapi` they are what such services read instead: `sub` is the
 * username, there is no `aud` (python-jose refuses one it was not told of), and our id stands in `uid`.
 */
export function createAccessTokens(deps: {
  config: TokenConfig
  keyring: Keyring
  clock: Clock
  random: Random
}): AccessTokens {
  const { config, keyring, clock, random } = deps
  const compat = config.JWT_COMPAT === 'fastapi'
  const typ = compat ? 'JWT' : 'at+jwt'
  const issuer = config.PUBLIC_URL
  const audience = compat ? undefined : (config.JWT_AUDIENCE ?? issuer)
  const lifetime = config.ACCESS_TOKEN_EXPIRE_MINUTES * MINUTE
  const told = new Set<string>(config.TOKEN_CLAIMS)
  const cache = createVerifiedCache<AccessTokenClaims>()
  keyring.onDrop(cache.dropKey)

  function readClaims(payload: Record<string, unknown>): AccessTokenClaims | undefined {
    const { sub, uid, sid, gen } = payload
    const userId = compat ? uid : typeof sub === 'string' && /^[1-9]\d{0,15}$/.test(sub) ? Number(sub) : undefined
    if (typeof userId !== 'number' || !Number.isSafeInteger(userId) || typeof sid !== 'string') return undefined
    if (typeof gen !== 'number' || !Number.isSafeInteger(gen) || gen < 0) return undefined
    return { userId, sessionId: sid, generation: gen }
  }

  function verifyToken(token: string, onUnknownKey?: () => void): AccessTokenClaims | undefined {
    const now = clock.now()
    const known = cache.get(token, now)
    if (known) return known.claims
    const findKey = (kid: string | undefined) => {
      const key = keyring.find(kid)
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

  return {
    mint(subject) {
      const iat = Math.floor(clock.now() / SECOND)
      // What is undefined does not reach the token.
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
        username: told.has('username') ? subject.username : undefined,
        email: told.has('email') ? subject.email : undefined,
        email_verified: told.has('email_verified') ? subject.emailVerified : undefined,
        roles: told.has('roles') ? subject.roles : undefined,
        amr: subject.amr,
        auth_time: Math.floor(subject.authTime / SECOND),
      }
      return { token: sign(keyring.signing(), claims, typ), expiresIn: lifetime / SECOND }
    },

    verify: (token) => verifyToken(token),

    verifyFresh(token) {
      let unknown = false
      const claims = verifyToken(token, () => {
        unknown = true
      })
      if (!unknown) return claims
      return keyring.reload().then(() => verifyToken(token))
    },

    read(token) {
      if (!verifyToken(token)) return undefined
      return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
    },
  }
}
