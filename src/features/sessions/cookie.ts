import { fromBase64Url, toBase64Url } from '../../lib/encoding.ts'
import { MAC_LENGTH, type SessionMacs } from './session-mac.ts'

const PREFIX = 'kws_'
const VERSION = 1
/** The number of bytes before the MAC: version and session id. */
const BODY_LENGTH = 1 + 16
const LENGTH = BODY_LENGTH + MAC_LENGTH

/** The parts of the cookie of a browser session whose MAC has not been checked yet. */
export interface CookieText {
  sessionId: string
  body: Uint8Array
  mac: Uint8Array
}

/**
 * Reads the cookie of a browser session without the database and without a check of the MAC. The text is `kws_`,
 * followed by canonical base64url of version (1 byte), session id (16 bytes) and MAC (32 bytes).
 * @returns undefined for a text of another form
 */
export function parseCookie(text: string): CookieText | undefined {
  if (!text.startsWith(PREFIX) || text.length !== PREFIX.length + Math.ceil((LENGTH * 4) / 3)) return undefined
  const bytes = fromBase64Url(text.slice(PREFIX.length))
  if (bytes?.byteLength !== LENGTH || bytes[0] !== VERSION) return undefined
  return {
    sessionId: toBase64Url(bytes.slice(1, BODY_LENGTH)),
    body: bytes.slice(0, BODY_LENGTH),
    mac: bytes.slice(BODY_LENGTH),
  }
}

/** The cookie of a browser session. It is not stored. It stays the same until `Sessions.raise` renews the salt. */
export function makeCookie(macs: SessionMacs, { id, macSalt }: { id: string; macSalt: string }): string {
  const bytes = new Uint8Array(LENGTH)
  bytes[0] = VERSION
  bytes.set(fromBase64Url(id)!, 1)
  bytes.set(macs(macSalt).make(bytes.slice(0, BODY_LENGTH)), BODY_LENGTH)
  return PREFIX + toBase64Url(bytes)
}
