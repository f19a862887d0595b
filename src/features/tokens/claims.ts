import type { EpochMs } from '../../lib/clock.ts'

/** More would let an expired token live on for no honest reason; clocks that differ by more are broken. */
const MAX_LEEWAY_SECONDS = 60

/** The end of the year 9999, past which RFC 3339 cannot write a time. */
const MAX_NUMERIC_DATE = 253_402_300_799

export interface ClaimRules {
  /** The one issuer whose tokens count, compared exactly. */
  issuer: string
  /** Must be among the token's audiences. `undefined`: the token must name none (`JWT_COMPAT=fastapi`). */
  audience: string | undefined
  now: EpochMs
  /** Difference of clocks to forgive at `exp` and `nbf`, 0 to 60 seconds. */
  leewaySeconds?: number
}

/** The registered times of a token whose claims hold, in seconds since 1970 as RFC 7519 has them. */
export interface CheckedTimes {
  exp: number
  nbf: number | undefined
  iat: number | undefined
}

/**
 * Checks `iss`, `aud`, `exp`, `nbf` and `iat` (RFC 7519 section 4.1, RFC 8725 sections 3.8 and 3.9); pure.
 * `exp` is required; a token is dead from that second on. Times are JSON numbers between 1970 and 9999: text, and
 * numbers like 1e400 that JSON makes infinite, are refused. `iat` may be at most 60 seconds ahead of `now`.
 * What the token is about (`sub`, `jti`, `sid`) is the caller's to check.
 * @returns `undefined` when any of them fails; which one is nobody's business outside
 * @throws RangeError for a leeway outside 0 to 60, a mistake of the program
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
