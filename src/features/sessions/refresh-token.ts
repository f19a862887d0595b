import { fromBase64Url, toBase64Url } from '../../lib/encoding.ts'
import { MAC_LENGTH, type SessionMacs } from './session-mac.ts'

const PREFIX = 'kwr_'
const VERSION = 1
/** The number of bytes before the MAC: version, session id and generation. */
const BODY_LENGTH = 1 + 16 + 4
const LENGTH = BODY_LENGTH + MAC_LENGTH

/** The parts of a refresh token whose MAC has not been checked yet. */
export interface RefreshTokenText {
  sessionId: string
  generation: number
  body: Uint8Array
  mac: Uint8Array
}

/** The refresh tokens of one session. */
export interface RefreshTokens {
  /** The refresh token of a generation. Every call for one generation returns the same text. */
  make(generation: number): string
  /** Returns true when Keyward made this token for this session with the current or a former data key. */
  isGenuine(token: RefreshTokenText): boolean
}

/**
 * Reads a refresh token without the database and without a check of the MAC. The text is `kwr_`, followed by canonical
 * base64url of version (1 byte), session id (16 bytes), generation (4 bytes, big endian) and MAC (32 bytes).
 * @returns undefined for a text of another form
 */
export function parseRefreshToken(text: string): RefreshTokenText | undefined {
  if (!text.startsWith(PREFIX) || text.length !== PREFIX.length + Math.ceil((LENGTH * 4) / 3)) return undefined
  const bytes = fromBase64Url(text.slice(PREFIX.length))
  if (bytes?.byteLength !== LENGTH || bytes[0] !== VERSION) return undefined
  // `slice` copies the bytes. A view would cost Bun's garbage collector more than the copy of these few bytes.
  return {
    sessionId: toBase64Url(bytes.slice(1, 17)),
    generation: ((bytes[17]! << 24) | (bytes[18]! << 16) | (bytes[19]! << 8) | bytes[20]!) >>> 0,
    body: bytes.slice(0, BODY_LENGTH),
    mac: bytes.slice(BODY_LENGTH),
  }
}

/** Returns the `RefreshTokens` of a session. */
export type RefreshTokensOf = (session: { id: string; macSalt: string }) => RefreshTokens

/**
 * Makes and checks refresh tokens. Refresh tokens are not stored, because Keyward can compute them from the session.
 */
export function createRefreshTokens(macs: SessionMacs): RefreshTokensOf {
  return ({ id, macSalt }) => {
    const mac = macs(macSalt)
    return {
      make(generation) {
        const bytes = new Uint8Array(LENGTH)
        bytes[0] = VERSION
        bytes.set(fromBase64Url(id)!, 1)
        for (let at = 0; at < 4; at++) bytes[17 + at] = generation >>> (24 - 8 * at)
        bytes.set(mac.make(bytes.slice(0, BODY_LENGTH)), BODY_LENGTH)
        return PREFIX + toBase64Url(bytes)
      },
      isGenuine: (token) => mac.isGenuine(token.body, token.mac),
    }
  }
}
