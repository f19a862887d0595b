import type { EpochMs } from '../../lib/clock.ts'
import { readImportedHash } from '../passwords/passwords.ts'
import { type BulkUser, invalidEmail, normalizeEmail, normalizeImportedUsername } from '../users/users.ts'
import type { SourceRow } from './source.ts'

/** The valid fields of a row, and a sentence for each invalid field. */
export interface Reading {
  /** The id in the other service, for the report: any text, also an empty one. */
  sourceId: string
  account: Partial<BulkUser>
  reasons: string[]
}

/**
 * The highest id that is imported. Numbers are exact up to 2^53, so half of the possible ids stay free for new users.
 */
const MAX_ID = 2 ** 52

/**
 * Reads one account of another service. No reason contains an address, a name or a hash. An account with no readable
 * creation time, or with one in the future, gets the time `now`.
 */
export function readAccount(row: SourceRow, now: EpochMs): Reading {
  const reasons: string[] = []
  const or = <T>(value: T | undefined, reason: string): T | undefined => {
    if (value === undefined) reasons.push(reason)
    return value
  }
  const id = or(readId(row.id), 'the id is not a whole number from 1 to 2^52')
  const email = or(normalizeEmail(row.email ?? ''), lowerFirst(invalidEmail))
  const username = or(
    normalizeImportedUsername(row.username ?? ''),
    row.username?.includes('@')
      ? 'the username contains an @, so a login would take it for an email address'
      : 'the username is empty, too long, begins or ends with a space, or contains characters that cannot be typed',
  )
  const password = row.hash ? readImportedHash(row.hash) : { problem: 'there is no password hash' }
  const { hash, scheme } = 'problem' in password ? {} : password
  if ('problem' in password) reasons.push(password.problem)
  const isActive = or(readTruth(row.isActive), 'is_active is neither true nor false')
  const createdAt = Math.min(readTime(row.createdAt ?? '') ?? now, now)
  return {
    sourceId: row.id ?? '',
    account: { id, ...email, ...username, passwordHash: hash, passwordScheme: scheme, isActive, createdAt },
    reasons,
  }
}

function readId(text: string | null): number | undefined {
  const id = /^[1-9]\d{0,15}$/.test(text ?? '') ? Number(text) : Number.NaN
  return id <= MAX_ID ? id : undefined
}

/** Reads `is_active`; `text` is undefined, and the account active, when the other service has no such column. */
function readTruth(text: string | null | undefined): boolean | undefined {
  if (text === undefined || /^(1|t|true)$/i.test(text ?? '')) return true
  return /^(0|f|false)$/i.test(text ?? '') ? false : undefined
}

const timePattern = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?$/i

/**
 * Reads a time in the formats of databases and Python (UTC if there is no zone), or seconds or milliseconds since 1970.
 * @returns undefined for any other text and for times before 1970
 */
function readTime(text: string): EpochMs | undefined {
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

const lowerFirst = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1)
