import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256, sha256 } from '../../lib/hash.ts'
import type { Random } from '../../lib/random.ts'
import type { MacKeys } from '../secrets/secrets.ts'

const PREFIX = 'kw_'

export const looksLikeApiKey = (token: string): boolean => token.startsWith(PREFIX)

/** Makes the text of a new API key: `kw_`, 32 random characters (192 bits) and a checksum of six characters. */
export function makeKeyText(random: Random): string {
  const body = toBase64Url(random.bytes(24))
  return PREFIX + body + checksum(body)
}

/**
 * Checks the form and the checksum of an API key. With the checksum, a mistyped key is refused without a query, and a
 * secret scanner can recognize a key.
 */
export function isWellFormed(text: string): boolean {
  const body = text.slice(PREFIX.length, -6)
  return /^kw_[A-Za-z0-9_-]{38}$/.test(text) && text.endsWith(checksum(body))
}

const checksum = (body: string): string => toBase64Url(sha256(`keyward api key\n${body}`)).slice(0, 6)

/** Makes the MACs with which an API key may be stored, in base64url: one per data key, the current data key first. */
export type KeyMacs = (text: string) => [current: string, ...former: string[]]

export function createKeyMacs(macKeys: () => MacKeys): KeyMacs {
  return (text) => macKeys().map((key) => toBase64Url(hmacSha256(key, text))) as [string, ...string[]]
}
