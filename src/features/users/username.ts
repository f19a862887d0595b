import { normalizeEmail } from './email.ts'

export interface Username {
  /** As typed: what is shown. */
  username: string
  /** What uniqueness and lookups go by. */
  usernameKey: string
}

/** For the field error when `normalizeUsername` answers `undefined`. */
export const invalidUsername =
  'The username must have 3 to 32 characters out of letters, digits, dot, hyphen and underscore'

/** For the field error when `isReservedUsername` says so. */
export const reservedUsername = 'This username is reserved'

/**
 * 3 to 32 ASCII letters, digits, dots, hyphens and underscores, in any order. Because it is ASCII no two names look
 * alike by Unicode's means and lower case is the same everywhere; because it has no `@` it is never taken for an
 * address. `.` and `..` are too short, so a name is also a safe path segment.
 */
export function normalizeUsername(input: string): Username | undefined {
  return /^[A-Za-z0-9._-]{3,32}$/.test(input) ? { username: input, usernameKey: usernameKey(input) } : undefined
}

/** The key under which a name is stored and found. */
export const usernameKey = (username: string): string => username.normalize('NFC').toLowerCase()

/** Names that speak for the service or mean something to software. Without punctuation, see `isReservedUsername`. */
const reserved = new Set([
  'abuse',
  'admin',
  'administrator',
  'administrators',
  'anonymous',
  'api',
  'everyone',
  'help',
  'hostmaster',
  'info',
  'keyward',
  'mailerdaemon',
  'me',
  'moderator',
  'noreply',
  'null',
  'owner',
  'postmaster',
  'root',
  'security',
  'self',
  'staff',
  'superuser',
  'support',
  'sysadmin',
  'system',
  'undefined',
  'users',
  'webmaster',
  'wellknown',
])

/**
 * Whether nobody may register this name: it speaks for the service (`support`, `postmaster`) or is a word of its own
 * in paths and programs (`me`, `null`). Case and punctuation do not make another name of it: `Ad-min`, `_root_`.
 * An administrator may still give one away.
 */
export const isReservedUsername = (username: string): boolean =>
  reserved.has(usernameKey(username).replace(/[._-]/g, ''))

/** How a login names its account: by one key, never by trying the other as well. */
export type LoginIdentifier = { emailKey: string } | { usernameKey: string }

/**
 * Reads what a person typed as their name at login. With an `@` it is an address and nothing else, so no username can
 * stand in front of another's address; without, a username in any case. All spellings of an account's name give the
 * same key, which is therefore what limits count by.
 * @returns `undefined` for what no account can be called; the caller then hashes as for an unknown account
 */
export function loginIdentifier(typed: string): LoginIdentifier | undefined {
  if (typed.includes('@')) {
    const address = normalizeEmail(typed)
    return address && { emailKey: address.emailKey }
  }
  // Wider than registration: imported accounts keep the names they had. What PostgreSQL cannot take as text, or only a
  // hostile client sends, ends here; the length goes first, since normalisation is slow on long hostile text.
  if (typed === '' || typed.length > 254 || !typed.isWellFormed() || /\p{Cc}/u.test(typed)) return undefined
  return { usernameKey: usernameKey(typed) }
}
