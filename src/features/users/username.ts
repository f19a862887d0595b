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

/**
 * The name of an account of another service, which may be wider than what people can register here: spaces inside,
 * letters of any script. `undefined` for what no log-in could name.
 */
export function normalizeImportedUsername(input: string): Username | undefined {
  // Next to "bob", "bob " would be a second person of the same look. U+FFFD is what unreadable bytes were turned into.
  if (!isLoginName(input) || input !== input.trim() || input.includes('\ufffd')) return undefined
  const key = usernameKey(input)
  return key === '' || key.includes('@') ? undefined : { username: input, usernameKey: key }
}

/**
 * The key under which a name is stored and found. Names that differ in case, in how their letters are composed, in
 * width or style of letters (UAX 15, NFKC) or in what is invisible have one key, so two of them never coexist.
 */
export function usernameKey(username: string): string {
  if (/^[\0-\x7f]*$/.test(username)) return username.toLowerCase()
  const visible = username.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '')
  // Through upper case, where letters meet that have several lower-case forms: s and \u017f, \u03c3 and \u03c2.
  return visible.toUpperCase().toLowerCase().normalize('NFKC')
}

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
  // Wider than registration: imported accounts keep the names they had.
  const key = isLoginName(typed) ? usernameKey(typed) : ''
  return key === '' ? undefined : { usernameKey: key }
}

/**
 * Keeps out what PostgreSQL cannot take as text and what only a hostile client sends; the length goes first, since
 * normalisation is slow on long hostile text.
 */
const isLoginName = (text: string): boolean => text.length <= 254 && text.isWellFormed() && !/\p{Cc}/u.test(text)
