import type { EpochMs } from '../../lib/clock.ts'

const timePattern = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?$/i

/**
 * Reads a time in the formats of databases and Python (UTC if there is no zone), or seconds or milliseconds since 1970.
 * @returns undefined for any other text and for times before 1970
 */
export function readTime(text: string): EpochMs | undefined {
  const [, date, time = '00:00', , hours = '+00', minutes = '00'] = timePattern.exec(text) ?? []
  const at = date === undefined ? readNumber(text) : Date.parse(`${date}T${time}${hours}:${minutes}`)
  return at > 0 ? at : undefined
}

/**
 * Reads seconds or milliseconds since 1970 as milliseconds. Numbers below 10^11 are seconds (until the year 5138), and
 * all others are milliseconds (from 1973).
 * @returns NaN for any other text
 */
function readNumber(text: string): number {
  const count = /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  return Math.floor(count < 1e11 ? count * 1_000 : count)
}
