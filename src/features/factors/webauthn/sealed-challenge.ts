import type { EpochMs } from '../../../lib/clock.ts'
import { fromBase64Url, toBase64Url, utf8 } from '../../../lib/encoding.ts'
import { constantTimeEqual, hmacSha256 } from '../../../lib/hash.ts'
import type { Random } from '../../../lib/random.ts'
import type { MacKeys } from '../../secrets/secrets.ts'
import { CHALLENGE_LIFETIME } from './options.ts'

export interface SealedChallenges {
  /** Makes a challenge of 56 bytes, in base64url. */
  seal(now: EpochMs): string
  /**
   * Reads a challenge that `seal` made.
   * @returns its nonce, which the caller stores until `expiresAt` so that the challenge is used once; undefined for
   *   another text, and after 5 minutes
   */
  open(challenge: string, now: EpochMs): { nonce: string; expiresAt: EpochMs } | undefined
}

// The challenge: version (1 byte), purpose (1), expiry (6), nonce (16), HMAC-SHA-256 of all that (32)
const VERSION = 1
const SIGN_IN = 1
const EXPIRY_AT = 2
const NONCE_AT = 8
const MAC_AT = 24
const LENGTH = 56

/**
 * Seals the challenges with which anyone may sign in by a passkey. Every view of a login page asks for one, so none is
 * stored: the challenge carries its expiry and a MAC. WebAuthn section 13.4.3 wants challenges that the server can
 * recognize as its own and that are used once. The MAC gives the first, and the nonce, stored at the first use, the
 * second.
 */
export function createSealedChallenges({
  macKeys,
  random,
}: {
  /** The keys of the purpose `passkey_challenge`. */
  macKeys: () => MacKeys
  random: Random
}): SealedChallenges {
  const macOf = (key: Uint8Array, payload: Uint8Array) =>
    hmacSha256(key, Buffer.concat([utf8('passkey challenge\n'), payload]))
  return {
    seal(now) {
      const payload = Buffer.alloc(MAC_AT)
      payload[0] = VERSION
      payload[1] = SIGN_IN
      payload.writeUIntBE(now + CHALLENGE_LIFETIME, EXPIRY_AT, 6)
      payload.set(random.bytes(16), NONCE_AT)
      return toBase64Url(Buffer.concat([payload, macOf(macKeys()[0], payload)]))
    },
    open(challenge, now) {
      // The length in base64url is checked first: a long text is not decoded.
      const bytes = challenge.length === Math.ceil((LENGTH * 4) / 3) ? fromBase64Url(challenge) : undefined
      if (!bytes || bytes[0] !== VERSION || bytes[1] !== SIGN_IN) return undefined
      const payload = Buffer.from(bytes.subarray(0, MAC_AT))
      const mac = bytes.subarray(MAC_AT)
      if (!macKeys().some((key) => constantTimeEqual(macOf(key, payload), mac))) return undefined
      const expiresAt = payload.readUIntBE(EXPIRY_AT, 6)
      return now > expiresAt ? undefined : { nonce: toBase64Url(payload.subarray(NONCE_AT)), expiresAt }
    },
  }
}
