import { type EpochMs, SECOND } from '../../lib/clock.ts'
import { toBase32, utf8 } from '../../lib/encoding.ts'
import { constantTimeEqual, hmac } from '../../lib/hash.ts'
import type { Random } from '../../lib/random.ts'

/*
 * Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds. There is no setting for
 * these: several apps compute exactly this, whatever the URI says.
 */

const STEP = 30 * SECOND
const DIGITS = 6

/** A code may be one step old or early, because clocks differ (RFC 6238 section 5.2). */
export const WINDOW = 1

/** The most characters of a URI: the QR code of a longer one has more than 57 modules in a row (version 10). */
const MAX_URI = 271
const MAX_ISSUER = 48

/** A new secret: 160 random bits, as RFC 4226 section 4 advises. */
export const newSecret = (random: Random): Uint8Array => random.bytes(20)

/** The time step that contains `now`. */
export const stepAt = (now: EpochMs): number => Math.floor(now / STEP)

export const isCodeText = (text: string): boolean => /^[0-9]{6}$/.test(text)

/** The code of a time step, with leading zeros (RFC 4226 section 5.3, RFC 6238 section 4). */
export function codeAt(
  secret: Uint8Array,
  step: number,
  { hash = 'sha1', digits = DIGITS }: { hash?: 'sha1' | 'sha256' | 'sha512'; digits?: number } = {},
): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = Buffer.from(hmac(hash, secret, counter))
  const truncated = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fff_ffff
  return String(truncated % 10 ** digits).padStart(digits, '0')
}

/**
 * Finds the step whose code this is, among the present step and its two neighbours. All three are compared, each in
 * constant time. Of several the newest counts.
 * @returns undefined when `code` is none of the three, or is not six digits
 */
export function matchingStep(secret: Uint8Array, code: string, now: EpochMs): number | undefined {
  if (!isCodeText(code)) return undefined
  const given = utf8(code)
  let matching: number | undefined
  for (let step = Math.max(0, stepAt(now) - WINDOW); step <= stepAt(now) + WINDOW; step++)
    if (constantTimeEqual(utf8(codeAt(secret, step)), given)) matching = step
  return matching
}

/**
 * The `otpauth:` URI that an authenticator app reads. The issuer is in the label and in a parameter, because some apps
 * read only one of them. A colon separates the two parts of the label, so neither part keeps its own colons. Parts that
 * would make the QR code too fine are cut.
 */
export function totpUri({ secret, issuer, account }: { secret: Uint8Array; issuer: string; account: string }): string {
  const by = encodePart(issuer, MAX_ISSUER)
  const parameters = `?secret=${toBase32(secret)}&issuer=${by}&algorithm=SHA1&digits=${DIGITS}&period=${STEP / SECOND}`
  const label = `otpauth://totp/${by}:`
  return label + encodePart(account, MAX_URI - label.length - parameters.length) + parameters
}

/** Percent-encodes the first characters of a text whose encoding has at most `max` characters. */
function encodePart(text: string, max: number): string {
  let encoded = ''
  for (const character of text.toWellFormed().replaceAll(':', '')) {
    const next = encoded + encodeURIComponent(character)
    if (next.length > max) break
    encoded = next
  }
  return encoded
}
