import type { EpochMs } from '../../lib/clock.ts'
import { readBcryptHash } from '../passwords/passwords.ts'
import { type BulkUser, invalidEmail, normalizeEmail, normalizeImportedUsername } from '../users/users.ts'
import type { SourceRow } from './source.ts'

/** The valid fields of a row, and a sentence for each invalid one. */
export interface Reading {
  /** The id in the other service, for the report; it may be any text. */
  sourceId: string
  account: Partial<BulkUser>
  reasons: string[]
}

/** The highest id that is imported. It leaves 2^52 ids for new users below 2^53. */
const MAX_ID = 2 ** 52

/** Reads one account of another service. No reason holds an address, a name or a hash. */
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
      ? 'the username has an @, so a login with it would mean an email address'
      : 'the username is empty, too long, begins or ends with a space, or has characters that cannot be typed',
  )
  const usable = row.hash !== null && readBcryptHash(row.hash) !== undefined
  const passwordHash = or(
    usable ? row.hash! : undefined,
    row.hash ? 'the password hash is not bcrypt ($2a$, $2b$ or $2y$, cost 4 to 15)' : 'there is no password hash',
  )
  const isActive = or(
    row.isActive === undefined ? true : readTruth(row.isActive),
    'is_active is neither true nor false',
  )
  const createdAt = Math.min(readTime(row.createdAt ?? '') ?? now, now)
  return {
    sourceId: row.id ?? '',
    account: { id, ...email, ...username, passwordHash, passwordScheme: 'bcrypt', isActive, createdAt },
    reasons,
  }
}

function readId(text: string | null): number | undefined {
  const id = text !== null && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0
  return id >= 1 && id <= MAX_ID ? id : undefined
}

function readTruth(text: string | null): boolean | undefined {
  if (text !== null && /^(1|t|true)$/i.test(text)) return true
  return text !== null && /^(0|f|false)$/i.test(text) ? false : undefined
}

const timePattern = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?$/i

/**
 * Parses a time as databases and Python write it (in UTC if it has no zone), or as seconds or milliseconds since 1970.
 * `undefined` for anything else and for times before 1970.
 */
function readTime(text: string): EpochMs | undefined {
  const [, date, time = '00:00', , hours = '+00', minutes = '00'] = timePattern.exec(text) ?? []
  const at = date === undefined ? readNumber(text) : Date.parse(`${date}T${time}${hours}:${minutes}`)
  return at > 0 ? at : undefined
}

/** 10^11 seconds are in the year 5138, 10^11 milliseconds in 1973: smaller numbers are seconds. */
function readNumber(text: string): number {
  const count = /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  return Math.floor(count < 1e11 ? count * 1_000 : count)
}

const lowerFirst = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1)
