import { constantTimeEqual, hmacSha256 } from '../../lib/hash.ts'
import type { MacKeys } from '../secrets/secrets.ts'

/** Makes and checks the MACs of one session's texts of one kind: its refresh tokens, or its cookie. */
export interface SessionMac {
  /** The HMAC-SHA-256 of `body`, 32 bytes, under the current data key. */
  make(body: Uint8Array): Uint8Array
  /** Returns true when Keyward made `mac` for this session and `body` with the current or a former data key. */
  isGenuine(body: Uint8Array, mac: Uint8Array): boolean
}

/** The length of a MAC in bytes. */
export const MAC_LENGTH = 32

/** Returns the `SessionMac` of the session with this salt. */
export type SessionMacs = (macSalt: string) => SessionMac

/**
 * The key of a session's MACs is derived from a data key and the session's salt. To forge a MAC, an attacker needs both
 * the database and SECRET_KEY. The data keys of refresh tokens and of cookies differ, so neither passes for the other.
 */
export function createSessionMacs(macKeys: () => MacKeys): SessionMacs {
  return (macSalt) => {
    const [current, ...former] = macKeys()
    const key = hmacSha256(current, macSalt)
    const isMadeWith = (key: Uint8Array, body: Uint8Array, mac: Uint8Array) =>
      constantTimeEqual(hmacSha256(key, body), mac)
    return {
      make: (body) => hmacSha256(key, body),
      isGenuine: (body, mac) =>
        isMadeWith(key, body, mac) || former.some((root) => isMadeWith(hmacSha256(root, macSalt), body, mac)),
    }
  }
}
