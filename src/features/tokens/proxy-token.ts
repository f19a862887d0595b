import { type Clock, SECOND } from '../../lib/clock.ts'
import { type Random, randomId } from '../../lib/random.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'
import { sign } from './jws.ts'
import type { Level } from './level.ts'
import { createVerifiedCache } from './verified-cache.ts'

/** The user and the session that a proxy token names. The `X-Auth-Request-*` headers name the same user. */
export interface ProxyTokenSubject {
  userId: number
  sessionId: string
  username: string
  /** The address if it is verified; else undefined. */
  email: string | undefined
  roles: readonly string[]
  acr: Level
}

interface ProxyTokensNeeds {
  signingKeys: Pick<SigningKeys, 'signing' | 'onDrop'>
  clock: Clock
  random: Random
  issuer: string
}

/** The `typ` of proxy tokens only. Thus Keyward, and services that check `typ`, refuse them as access tokens. */
const TYP = 'fa+jwt'
const LIFETIME = 60 * SECOND
/** For how long requests with one access token get the same proxy token, which saves signatures. */
const REUSE = 30 * SECOND
/**
 * The capacity of the cache, in places. An access token takes one place per started KiB, so a full cache has at most
 * about 5 MB of access tokens, and as much of proxy tokens.
 */
const KEPT = 5_000

/**
 * Makes the proxy tokens of `/forward-auth`. A proxy passes the token to a service, which verifies the signature. A
 * client can send a false `X-Auth-Request-*` header, but cannot forge a proxy token. A proxy token is valid for 60 s,
 * but not longer than the access token. Within 30 s one access token gets the same proxy token, unless the data of the
 * user or the signing key changed.
 * @returns the function that makes a token. `shown` is a valid access token, and `exp` is the claim `exp` of `shown`,
 *   in seconds since 1970
 */
export function createProxyTokens({ signingKeys, clock, random, issuer }: ProxyTokensNeeds) {
  const made = createVerifiedCache<{ token: string; subject: string }>(KEPT)
  signingKeys.onDrop(made.dropKey)

  return (shown: string, exp: number, user: ProxyTokenSubject): string => {
    const now = clock.now()
    const key = signingKeys.signing()
    const subject = JSON.stringify(user)
    const known = made.get(shown, now)
    if (known?.kid === key.kid && known.claims.subject === subject) return known.claims.token
    const iat = Math.floor(now / SECOND)
    const claims = {
      iss: issuer,
      sub: String(user.userId),
      aud: `${issuer}/forward-auth`,
      exp: Math.min(iat + LIFETIME / SECOND, exp),
      iat,
      jti: randomId(random),
      sid: user.sessionId,
      username: user.username,
      email: user.email,
      roles: user.roles,
      acr: user.acr,
    }
    const token = sign(key, claims, TYP)
    made.set(shown, {
      claims: { token, subject },
      kid: key.kid,
      notBefore: now,
      expiresAt: Math.min(now + REUSE, claims.exp * SECOND),
    })
    return token
  }
}
