import type { EpochMs } from '../../lib/clock.ts'

/** The largest allowed leeway. Correct clocks differ by less, and a larger leeway would accept long expired tokens. */
const MAX_LEEWAY_SECONDS = 60

/** The end of the year 9999. RFC 3339 cannot represent later times. */
const MAX_NUMERIC_DATE = 253_402_300_799

interface ClaimRules {
  /** The only accepted issuer, compared exactly. */
  issuer: string
  /** `aud` must contain this audience. When undefined, the token must have no `aud` (`JWT_COMPAT=fastapi`). */
  audience: string | undefined
  now: EpochMs
  /** Accepted difference of clocks for `exp` and `nbf`, 0 to 60 seconds. */
  leewaySeconds?: number
}

/** The times of a valid token, in seconds since 1970 (RFC 7519). */
interface CheckedTimes {
  exp: number
  nbf: number | undefined
  iat: number | undefined
}

/**
 * Checks `iss`, `aud`, `exp`, `nbf` and `iat` (RFC 7519 section 4.1, RFC 8725 sections 3.8 and 3.9), and no other
 * claim.
 * - `exp` is required. The token is expired from the second `exp` on, or with a leeway that much later.
 * - `iat` may be at most 60 seconds after `now`.
 * - All times are JSON numbers between the years 1970 and 9999. A text is refused, and so is 1e400, which JSON parsers
 *   read as infinity.
 * @returns `undefined` when a check fails
 * @throws RangeError for a leeway outside 0 to 60
 */
export function checkClaims(
  payload: Readonly<Record<string, unknown>>,
  { issuer, audience, now, leewaySeconds = 0 }: ClaimRules,
): CheckedTimes | undefined {
  if (!(leewaySeconds >= 0 && leewaySeconds <= MAX_LEEWAY_SECONDS))
    throw new RangeError('leeway must be 0 to 60 seconds')
  const { iss, aud, exp, nbf, iat } = payload
  const seconds = now / 1000
  if (iss !== issuer || !audienceHolds(aud, audience)) return undefined
  if (!isNumericDate(exp) || !(seconds < exp + leewaySeconds)) return undefined
  if (nbf !== undefined && !(isNumericDate(nbf) && nbf - leewaySeconds <= seconds)) return undefined
  if (iat !== undefined && !(isNumericDate(iat) && iat - MAX_LEEWAY_SECONDS <= seconds)) return undefined
  return { exp, nbf, iat }
}

function audienceHolds(aud: unknown, expected: string | undefined): boolean {
  if (expected === undefined) return aud === undefined
  if (!Array.isArray(aud)) return aud === expected
  return aud.every((entry) => typeof entry === 'string') && aud.includes(expected)
}

const isNumericDate = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= MAX_NUMERIC_DATE
