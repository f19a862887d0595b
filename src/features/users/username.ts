import { normalizeEmail } from './email.ts'
import type { User, UserKeys } from './user.ts'

export interface Username {
  /** The username as typed, for display. */
  username: string
  /** The key of the username, for uniqueness and look-ups. */
  usernameKey: string
}

/** The message of the field error when `normalizeUsername` returns undefined. */
export const invalidUsername =
  'The username must have 3 to 32 characters: letters, digits, dots, hyphens and underscores'

/** The message of the field error when `isReservedUsername` returns true. */
export const reservedUsername = 'This username is reserved'

/**
 * Accepts 3 to 32 ASCII letters, digits, dots, hyphens and underscores in any order. Letters of other scripts are
 * refused, because some look like ASCII letters. A username has no `@`, so no login reads a username as an address. `.`
 * and `..` are too short, so a username is also a safe path segment.
 * @returns undefined for any other text
 */
export function normalizeUsername(input: string): Username | undefined {
  return /^[A-Za-z0-9._-]{3,32}$/.test(input) ? { username: input, usernameKey: usernameKey(input) } : undefined
}

/**
 * Reads the username of an account of another service, which may have inner spaces and letters of any script.
 * @returns undefined for a name with which no user could log in (such as a name with `@` or of more than 254 UTF-16
 *   units), for a name that begins or ends with white space, and for a name with U+FFFD
 */
export function normalizeImportedUsername(input: string): Username | undefined {
  // "bob " would look like "bob". U+FFFD shows that a program could not decode the name, so the true name is unknown.
  if (!isLoginName(input) || input !== input.trim() || input.includes('\ufffd')) return undefined
  const key = usernameKey(input)
  return key === '' || key.includes('@') ? undefined : { username: input, usernameKey: key }
}

/**
 * The key of a username. Names that differ only in case, in the composition, width or style of letters (UAX 15, NFKC)
 * or in invisible characters have the same key. Two users can therefore not have such names.
 */
export function usernameKey(username: string): string {
  if (/^[\0-\x7f]*$/.test(username)) return username.toLowerCase()
  const visible = username.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '')
  // The text is changed to upper case first. Some letters have two lower-case forms (s and long s, sigma and final
  // sigma), but one upper-case form.
  return visible.toUpperCase().toLowerCase().normalize('NFKC')
}

/** Usernames that seem to belong to the service, or have a meaning for software; written without punctuation. */
const reserved = new Set(
  `
    abuse admin administrator administrators anonymous api everyone help hostmaster info keyward mailerdaemon me
    moderator noreply null owner postmaster root security self staff superuser support sysadmin system undefined
    users webmaster wellknown
  `.match(/\w+/g),
)

/**
 * Returns true for a username that only an administrator may give to an account. Such a name seems to belong to the
 * service (`support`, `postmaster`) or has a meaning in paths and programs (`me`, `null`). Case and punctuation are
 * ignored: `Ad-min` and `_root_` are reserved too.
 */
export const isReservedUsername = (username: string): boolean =>
  reserved.has(usernameKey(username).replace(/[._-]/g, ''))

/** The key by which a login finds its account. A login tries only this key: the address or the username, never both. */
export type LoginIdentifier = { emailKey: string } | { usernameKey: string }

/**
 * Reads the name that a user typed at login. A name with `@` is an address and never a username, so a username cannot
 * be mistaken for the address of another user. All spellings of a name give the same key, and limits count by this key.
 * Spaces and tabs at the ends of the name are ignored.
 * @returns undefined for a name that no account can have
 */
export function loginIdentifier(input: string): LoginIdentifier | undefined {
  const typed = trimTyped(input)
  if (typed.includes('@')) {
    const address = normalizeEmail(typed)
    return address && { emailKey: address.emailKey }
  }
  // `normalizeUsername` would refuse imported usernames, which may have inner spaces and letters of any script.
  const key = isLoginName(typed) ? usernameKey(typed) : ''
  return key === '' ? undefined : { usernameKey: key }
}

/**
 * Reads the beginning of an address or of a username.
 * @returns the beginning of the keys of such addresses and usernames; undefined for a text that no name contains
 */
export const keysOfBeginning = (input: string): { emailKey: string; usernameKey: string } | undefined =>
  isLoginName(input) ? { emailKey: input.toLowerCase(), usernameKey: usernameKey(input) } : undefined

/** The keys of a user's address and username. `loginIdentifier` gives one of these keys for each spelling of either. */
export const nameKeysOf = ({ email, username }: Pick<User, 'email' | 'username'>): Omit<UserKeys, 'id'> => ({
  emailKey: email.toLowerCase(),
  usernameKey: usernameKey(username),
})

/**
 * Removes the spaces and tabs at the ends of a typed name or address: keyboards of phones add them, and a form field
 * strips them only if it has `type=email`. No stored name begins or ends with a space or tab.
 */
export const trimTyped = (typed: string): string => typed.replace(/^[ \t]+/, '').replace(trailing, '')

/** The lookbehind keeps the time linear: otherwise the search would start again at every space of a long run. */
const trailing = /(?<![ \t])[ \t]+$/

/**
 * Returns false for text that PostgreSQL cannot store (NUL, lone surrogates), and for text that only a hostile client
 * sends (other control characters, more than 254 UTF-16 units). Callers then normalise the text with NFKC, which would
 * take long for a long hostile text.
 */
const isLoginName = (text: string): boolean => text.length <= 254 && text.isWellFormed() && !/\p{Cc}/u.test(text)
