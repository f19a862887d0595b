import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256, sha256 } from '../../lib/hash.ts'
import type { Random } from '../../lib/random.ts'
import type { MacKeys } from '../secrets/secrets.ts'

/**
 * Makes the text of a new client secret: `kwc_`, 43 random characters (256 bits) and a checksum of six characters. The
 * form encoding of RFC 6749 section 2.3.1 changes none of its characters.
 */
export function makeSecretText(random: Random): string {
  const body = toBase64Url(random.bytes(32))
  return `kwc_${body}${checksum(body)}`
}

/**
 * Returns true for a text that has the form of a client secret. The checksum is for scanners that look for leaked
 * secrets; the MAC tells Keyward more.
 */
export const isWellFormed = (text: string): boolean => /^kwc_[A-Za-z0-9_-]{49}$/.test(text)

const checksum = (body: string): string => toBase64Url(sha256(`keyward client secret\n${body}`)).slice(0, 6)

/** The MACs with which a client secret may be stored, in base64url: one per data key, the current data key first. */
export const secretMacs = (keys: MacKeys, text: string): [current: string, ...former: string[]] =>
  keys.map((key) => toBase64Url(hmacSha256(key, text))) as [string, ...string[]]

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** Makes the id of a new client: `kwa_` and 20 random characters of base32 (100 bits). */
export const makeClientId = (random: Random): string =>
  `kwa_${[...random.bytes(20)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('')}`
