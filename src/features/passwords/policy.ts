import { readCommonPasswords } from './common-passwords.macro.ts' with { type: 'macro' }
import { isPattern } from './patterns.ts'

/**
 * The maximum length in code points, after NFC. It is more than a person types, and a password of this length is quick
 * to hash.
 */
const passwordMaxLength = 256

/**
 * The maximum length in UTF-16 units, before NFC. NFC takes seconds for a hostile text of 32 kB, so the length is
 * checked first. NFC combines at most 4 code points into one, and a code point has at most 2 units. So a longer text
 * cannot shrink to `passwordMaxLength`.
 */
const maxUnitsBeforeNfc = passwordMaxLength * 4 * 2

/**
 * The form of a password that is measured and hashed: Unicode NFC, otherwise unchanged (NIST SP 800-63B-4 section
 * 3.1.1.2). Control characters other than NUL are allowed.
 * @returns undefined for a text that cannot be a password:
 * - the empty text, or more than `passwordMaxLength` code points
 * - a text with a lone surrogate, because all lone surrogates would have the same hash
 * - a text with NUL: bcrypt repeats its input with a NUL between, so `a` and `a NUL a` would have the same hash
 */
export function normalizePassword(password: string): string | undefined {
  if (password === '' || password.length > maxUnitsBeforeNfc) return undefined
  if (!password.isWellFormed() || password.includes('\0')) return undefined
  const normalized = password.normalize('NFC')
  return codePoints(normalized) <= passwordMaxLength ? normalized : undefined
}

interface PasswordContext {
  email?: string | undefined
  username?: string | undefined
  /** Minimum length in code points, at least 8. */
  minLength: number
}

/**
 * Checks a new password (NIST SP 800-63B-4 section 3.1.1.2). The password needs the minimum length. It must not be a
 * common password, consist wholly of repeated, sequential or common parts, or be the name of this service, or the name
 * or address of the user. Upper and lower case count as equal. There are no composition rules.
 * @returns a sentence for the user, which never contains the password; undefined for an acceptable password
 */
export function weaknessOf(password: string, { email, username, minLength }: PasswordContext): string | undefined {
  if (!password.isWellFormed() || password.includes('\0')) return 'The password must be valid Unicode text without NUL'
  const normalized = normalizePassword(password)
  if (normalized === undefined && password !== '')
    return `The password must have at most ${passwordMaxLength} characters`
  if (normalized === undefined || codePoints(normalized) < minLength)
    return `The password must have at least ${minLength} characters`
  if (isCommon(normalized)) return 'This password is one of the most common ones'
  if (isPattern(foldCase(normalized), isCommon))
    return 'This password is a simple pattern or a common password with digits: it is easy to guess'
  if (ownWords(email, username).has(lettersAndDigits(normalized)))
    return 'The password must not be your username or email address'
  if (/^(?:keyward)+$/.test(lettersAndDigits(normalized).replace(/\p{N}/gu, '')))
    return 'The password must not be the name of this service'
  return undefined
}

const codePoints = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}

const foldCase = (text: string): string => text.normalize('NFKC').toLowerCase()

/**
 * Removes everything except letters and digits. So a name with an added dot, space or exclamation mark counts as the
 * name.
 */
const lettersAndDigits = (text: string): string => foldCase(text).replace(/[^\p{L}\p{M}\p{N}]/gu, '')

function ownWords(email = '', username = ''): Set<string> {
  const local = email.slice(0, Math.max(0, email.lastIndexOf('@')))
  const words = new Set([username, email, local, local.split('+')[0] ?? ''].map(lettersAndDigits))
  // Without this line, a password that consists only of punctuation would count as a name.
  words.delete('')
  return words
}

let commonPasswords: ReadonlySet<string> | undefined

/** The Set takes 4.3 MiB, so it is made when the first password is checked. */
function isCommon(password: string): boolean {
  commonPasswords ??= new Set(readCommonPasswords().split('\n'))
  return commonPasswords.has(foldCase(password))
}
