import { createHash } from 'node:crypto'
import type { EpochMs } from '../../lib/clock.ts'
import { preferredLocale } from '../../lib/locale.ts'
import type { ImportedFactors } from '../factors/factors.ts'
import { readImportedHash } from '../passwords/passwords.ts'
import {
  type BulkUser,
  invalidEmail,
  invalidName,
  normalizeEmail,
  normalizeImportedUsername,
  normalizeName,
} from '../users/users.ts'
import { type FactorOptions, noFactors, readFactors } from './read-factors.ts'
import type { SourceRow } from './source.ts'
import { readTime } from './times.ts'

/** The valid fields of a row, and a sentence for each invalid field. */
export interface Reading {
  /** The id in the other service, for the report: any text, also an empty one. */
  sourceId: string
  /** The number of the line in a file; undefined for an account of a database. */
  line?: number | undefined
  account: Partial<BulkUser>
  /** The names of the roles to grant, without `user`, which every user has. */
  roles: readonly string[]
  factors: ImportedFactors
  /** True when the row has no username, so that the username was made from the address. */
  isNameMade: boolean
  reasons: string[]
}

/**
 * The highest id that is imported. Numbers are exact up to 2^53, so half of the possible ids stay free for new users.
 */
const MAX_ID = 2 ** 52
/** The most characters of an id that is no such number. */
const MAX_EXTERNAL_ID = 128

/** What holds for all accounts of a source. */
export interface ReadOptions extends FactorOptions {
  /** The name of the other service, for `users.external_source`. */
  service: string
  /** True when an account may have no password. */
  passwordless: boolean
  /** True when an account may have no id; the database then assigns one. */
  idless: boolean
}

/**
 * Reads one account of another service. No reason contains an address, a name or a hash. An account of a database with
 * no readable creation time, or any account with one in the future, gets the time `now`. An id that is no whole number from 1 to 2^52 becomes
 * the external id. A missing username is made from the address.
 */
export function readAccount(row: SourceRow, { now, rpId, service, passwordless, idless }: ReadOptions): Reading {
  const reasons: string[] = []
  const or = <T>(value: T | undefined, reason: string): T | undefined => {
    if (value === undefined) reasons.push(reason)
    return value
  }
  const sourceId = row.id ?? ''
  if (row.problem !== undefined)
    return {
      sourceId,
      line: row.line,
      account: {},
      roles: [],
      factors: noFactors,
      isNameMade: false,
      reasons: [row.problem],
    }
  const ids = or(readIds(row, { service, idless }), invalidId)
  const email = or(normalizeEmail(row.email ?? ''), row.email ? lowerFirst(invalidEmail) : 'there is no email address')
  const isNameMade = row.username === null
  const typedName = isNameMade ? email && madeUsername(email.emailKey) : row.username
  const username =
    isNameMade && email === undefined
      ? undefined
      : or(
          normalizeImportedUsername(typedName ?? ''),
          row.username?.includes('@')
            ? 'the username contains an @, so a login would take it for an email address'
            : 'the username is empty, too long, begins or ends with a space, or contains characters that cannot be typed',
        )
  const password = readPassword(row, passwordless)
  const { hash, scheme } = 'problem' in password ? {} : password
  if ('problem' in password) reasons.push(password.problem)
  const isActive = or(readTruth(row.isActive), 'is_active is neither true nor false')
  const timeOf = (column: string, text: string | null | undefined): EpochMs | undefined => {
    const time = readTime(text ?? '')
    // A database of another service may have odd times, which nobody can mend there. A file can be mended.
    if (text && time === undefined && row.line !== undefined) reasons.push(`${column} is no time after 1970`)
    return time
  }
  const createdAt = Math.min(timeOf('created_at', row.createdAt) ?? now, now)
  const isVerified = or(row.emailVerified === undefined ? false : readTruth(row.emailVerified), invalidVerified)
  const name = row.name === undefined ? null : or(normalizeName(row.name), lowerFirst(invalidName))
  const verifiedAt = timeOf('email_verified_at', row.emailVerifiedAt)
  const emailVerifiedAt = isVerified ? Math.min(verifiedAt ?? createdAt, now) : null
  const stored = { passwordHash: hash, passwordScheme: scheme }
  const locale = preferredLocale(row.locale) ?? null
  const inactiveUntil = isActive === false ? timeOf('inactive_until', row.inactiveUntil) : undefined
  // Only an invited user without a password can still accept the invitation.
  const invitedAt = hash ? undefined : timeOf('invited_at', row.invitedAt)
  const state = { isActive, inactiveUntil: inactiveUntil ?? null, invitedAt: invitedAt ?? null, createdAt }
  const roles = or(readRoles(row.roles), 'roles is no list of names') ?? []
  const read = readFactors(row, { now, rpId })
  reasons.push(...read.reasons)
  return {
    sourceId,
    line: row.line,
    account: { ...ids, ...email, emailVerifiedAt, ...username, ...stored, name, locale, ...state },
    roles,
    factors: read.factors,
    isNameMade,
    reasons,
  }
}

/** Reads names of roles, without `user`. @returns undefined for a text that is no list of names */
function readRoles(text: string | undefined): string[] | undefined {
  if (text === undefined) return []
  let names: unknown = text.split(/[\s,]+/)
  try {
    if (text.startsWith('[')) names = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return undefined
  return [...new Set(names)].filter((name) => name !== '' && name !== 'user')
}

const noId = { id: undefined, externalId: null, externalSource: null }

const invalidId = `the id is missing, is longer than ${MAX_EXTERNAL_ID} characters, or contains control characters`
const invalidVerified = 'email_verified is neither true nor false'

/** Reads a password hash. The user of an account without one logs in after a new password or by mail. */
function readPassword({ hash, hashScheme }: SourceRow, passwordless: boolean) {
  if (hash) return readImportedHash(hash, hashScheme)
  return passwordless ? { hash: null, scheme: null } : { problem: 'there is no password hash' }
}

/**
 * Makes a username for an account without one: the local part of the address, and digits. The digits depend on the
 * address only, so a second import makes the same name. Nine digits tell thousands of `info@…` apart.
 */
function madeUsername(emailKey: string): string {
  const digits = createHash('sha256').update(emailKey).digest().readUInt32BE() % 1_000_000_000
  return `${stemOf(emailKey)}.${String(digits).padStart(9, '0')}`
}

const stemOf = (emailKey: string): string => {
  const local = emailKey.slice(0, emailKey.lastIndexOf('@')).replace(/[^a-z0-9._-]/g, '')
  return local.slice(0, 22) || 'user'
}

/** Returns true when an import, of whatever version, may have made this username for this address. */
export function isMadeFor(emailKey: string, usernameKey: string): boolean {
  const [, stem, digits = ''] = /^(.*)\.(\d+)$/.exec(usernameKey) ?? []
  return (digits.length === 9 || digits.length === 6) && stem?.slice(0, 22) === stemOf(emailKey)
}

/** Reads the id, and the external id of an export of Keyward, which the user had in a service before. */
function readIds(row: SourceRow, { service, idless }: Pick<ReadOptions, 'service' | 'idless'>): Ids | undefined {
  const ids = idless && row.id === null ? noId : readId(row.id ?? '', service)
  const { externalId, externalSource = service } = row
  if (ids === undefined || externalId === undefined || ids.externalId !== null) return ids
  return isExternalId(externalId) && isExternalId(externalSource) ? { ...ids, externalId, externalSource } : undefined
}

type Ids = Pick<BulkUser, 'id' | 'externalId' | 'externalSource'>

/** Reads the id in the other service: as the user's id if that is possible, else as the external id. */
function readId(text: string, service: string): Ids | undefined {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN
  if (id <= MAX_ID) return { id, externalId: null, externalSource: null }
  return isExternalId(text) ? { id: undefined, externalId: text, externalSource: service } : undefined
}

/** Most ids have no astral characters, so the length counts UTF-16 units. */
const isExternalId = (text: string): boolean =>
  text !== '' && text.length <= MAX_EXTERNAL_ID && !/[\p{Cc}\p{Cs}]/u.test(text)

/** Reads `is_active`; `text` is undefined, and the account active, when the other service has no such column. */
function readTruth(text: string | null | undefined): boolean | undefined {
  if (text === undefined || /^(1|t|true)$/i.test(text ?? '')) return true
  return /^(0|f|false)$/i.test(text ?? '') ? false : undefined
}

const lowerFirst = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1)
