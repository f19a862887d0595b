import { type Clock, type EpochMs, MINUTE, SECOND } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { nodeCrypto } from '../../lib/node-crypto.ts'
import { type Random, randomId } from '../../lib/random.ts'
import type { PublicKeyAlgorithm, SigningKey, SigningKeys } from '../signing-keys/signing-keys.ts'
import { signWith, verify } from './jws.ts'
import { levelOf } from './level.ts'
import type { RsaSigner } from './rsa-signing.ts'

/** What an ID token says about a sign-in (OpenID Connect Core 1.0 section 2). */
export interface IdTokenSubject {
  /** The algorithm that the client wants. */
  alg: PublicKeyAlgorithm
  userId: number
  clientId: string
  sessionId: string
  /** The `nonce` of the authorization request; absent in the token if the request had none. */
  nonce?: string
  authTime: EpochMs
  amr: readonly string[]
  /** The access token of the same answer, for `at_hash`. */
  accessToken?: string
  /** Claims about the user, such as `email`. They cannot replace a claim that Keyward sets. */
  claims?: Readonly<Record<string, unknown>>
}

/** The session that a logout token ends (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
export interface LogoutTokenSubject {
  alg: PublicKeyAlgorithm
  clientId: string
  userId: number
  sessionId: string
}

/** What an `id_token_hint` says. The session may have ended, and the user may be deleted. */
export interface IdTokenHint {
  clientId: string
  userId: number
  sessionId: string
  /** True when the token has expired, which does not make the hint useless. */
  expired: boolean
}

export interface IdTokens {
  /**
   * Signs an ID token. It is no access token: its `typ` is `JWT`. Call this function outside transactions, because the
   * first token of an algorithm makes its key.
   * @throws RangeError when the token would be longer than 8 KiB; KeyringError when the key cannot be opened
   */
  mintIdToken(subject: IdTokenSubject): Promise<string>
  /**
   * Signs a logout token, which is valid for 2 minutes. Call this function outside transactions.
   * @throws KeyringError when the key cannot be opened
   */
  mintLogoutToken(subject: LogoutTokenSubject): Promise<string>
  /**
   * Reads an ID token that a client sends back. It may have expired, and its key may have been retired, but not revoked.
   * Reads the stored keys when this process does not know the key, which another one may have made just now.
   * @returns undefined for everything else: access tokens and logout tokens, tokens of other issuers or keys, tokens
   *   signed with JWT_SECRET
   */
  readIdTokenHint(text: string): Promise<IdTokenHint | undefined>
}

interface IdTokensNeeds {
  signingKeys: Pick<SigningKeys, 'forIdTokens' | 'ensureIdTokenKey' | 'findRetired' | 'reload'>
  rsaSigner: RsaSigner
  clock: Clock
  random: Random
  /** The claim `iss` (`PUBLIC_URL`). */
  issuer: string
  /** The lifetime of an ID token in milliseconds. */
  lifetime: number
}

const ID_TOKEN = 'JWT'
const LOGOUT_TOKEN = 'logout+jwt'
const LOGOUT_LIFETIME = 2 * MINUTE
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

export function createIdTokens({ signingKeys, rsaSigner, clock, random, issuer, lifetime }: IdTokensNeeds): IdTokens {
  /** The key is made here when the client was registered without one, such as by a database that was restored. */
  async function keyFor(alg: PublicKeyAlgorithm): Promise<SigningKey> {
    const key = signingKeys.forIdTokens(alg)
    if (key) return key
    await signingKeys.ensureIdTokenKey(alg)
    const made = signingKeys.forIdTokens(alg)
    if (!made) throw new Error(`There is no key for ID tokens with ${alg}`)
    return made
  }

  const common = (clientId: string, userId: number, lasts: number) => {
    const iat = Math.floor(clock.now() / SECOND)
    return { iss: issuer, sub: String(userId), aud: clientId, exp: iat + lasts / SECOND, iat, jti: randomId(random) }
  }

  return {
    async mintIdToken({ alg, userId, clientId, sessionId, nonce, authTime, amr, accessToken, claims }) {
      const key = await keyFor(alg)
      // `JSON.stringify` in `signWith` omits the undefined members.
      const payload = {
        ...claims,
        ...common(clientId, userId, lifetime),
        auth_time: Math.floor(authTime / SECOND),
        nonce,
        amr,
        acr: levelOf(amr),
        at_hash: accessToken === undefined ? undefined : halfHash(alg, accessToken),
        sid: sessionId,
      }
      return signWith(rsaSigner, key, payload, ID_TOKEN)
    },

    async mintLogoutToken({ alg, clientId, userId, sessionId }) {
      const key = await keyFor(alg)
      const payload = {
        ...common(clientId, userId, LOGOUT_LIFETIME),
        sid: sessionId,
        events: { [LOGOUT_EVENT]: {} },
      }
      return signWith(rsaSigner, key, payload, LOGOUT_TOKEN)
    },

    async readIdTokenHint(text) {
      let isUnknown = false
      const findKey = (kid: string | undefined) => {
        const key = signingKeys.findRetired(kid)
        isUnknown = key === undefined && kid !== undefined
        // The services that verify access tokens know JWT_SECRET, and could sign a hint with it.
        return key?.alg === 'HS256' ? undefined : key
      }
      const read = () => verify(text, findKey, { typ: ID_TOKEN })?.payload
      let payload = read()
      if (isUnknown) {
        await signingKeys.reload()
        payload = read()
      }
      if (!payload) return undefined
      const { iss, sub, aud, sid, exp } = payload
      if (iss !== issuer || typeof aud !== 'string' || typeof sid !== 'string' || typeof exp !== 'number')
        return undefined
      if (typeof sub !== 'string' || !/^[1-9]\d{0,15}$/.test(sub)) return undefined
      return { clientId: aud, userId: Number(sub), sessionId: sid, expired: exp * SECOND <= clock.now() }
    },
  }
}

/**
 * The left half of the hash of an access token (OpenID Connect Core 1.0 section 3.1.3.6). Ed25519 uses SHA-512, because
 * its signatures do.
 */
function halfHash(alg: PublicKeyAlgorithm, accessToken: string): string {
  const hash = nodeCrypto()
    .createHash(alg === 'EdDSA' ? 'sha512' : 'sha256')
    .update(accessToken)
    .digest()
  return toBase64Url(hash.subarray(0, hash.length / 2))
}
