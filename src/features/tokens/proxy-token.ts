import { type Clock, SECOND } from '../../lib/clock.ts'
import { type Random, randomId } from '../../lib/random.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'
import { sign } from './jws.ts'
import { createVerifiedCache } from './verified-cache.ts'

/** The user and the session that a proxy token names. The `X-Auth-Request-*` headers name the same user. */
export interface ProxyTokenSubject {
  userId: number
  sessionId: string
  username: string
  /** The address if it is verified; else undefined. */
  email: string | undefined
  roles: readonly string[]
}

interface ProxyTokensNeeds {
  signingKeys: Pick<SigningKeys, 'signing' | 'onDrop'>
  clock: Clock
  random: Random
  issuer: string
}

/** No access token has this type. Keyward, and services that check the type, refuse a proxy token as access token. */
const TYP = 'fa+jwt'
const LIFETIME = 60 * SECOND
/** How long a proxy token is answered again for the same access token. */
const REUSE = 30 * SECOND
/** The places of the cache, one per started KiB of an access token: about 5 MB, and as much for the proxy tokens. */
const KEPT = 5_000

/**
 * Makes the tokens that `/forward-auth` hands to a proxy, for the service behind it. Unlike a plain header such a token
 * cannot be merged with a header of the client. It is valid for 60 s and never longer than the access token that was
 * shown. Within 30 s the same access token gets the same proxy token, unless its user or the signing key changed.
 *
 * @returns the function that makes a token. `shown` is a valid access token, `exp` its claim in seconds since 1970
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
