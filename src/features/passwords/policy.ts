import { readCommonPasswords } from './common-passwords.macro.ts' with { type: 'macro' }
import { isPattern } from './patterns.ts'

/** The maximum length of a password in code points, after NFC. Nobody types more, and this length is quick to hash. */
const passwordMaxLength = 256

/**
 * The maximum length of a password in UTF-16 units, before NFC. NFC takes seconds for a hostile text of 32 kB, so this
 * length is checked first. NFC combines at most 4 code points into one, and a code point has at most 2 units. A longer
 * text can therefore not shrink to `passwordMaxLength`.
 */
const maxUnitsBeforeNfc = passwordMaxLength * 4 * 2

/**
 * Changes a password to Unicode NFC, and changes nothing else (NIST SP 800-63B-4 section 3.1.1.2). Keyward measures and
 * hashes the result. Control characters other than NUL are allowed.
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

/** Why a new password is refused. Pages have a sentence for each word in every language. */
export type WeaknessReason = 'malformed' | 'too_long' | 'too_short' | 'common' | 'pattern' | 'own_name' | 'service_name'

/** The reason, and the sentence for the user, which never contains the password. */
export interface Weakness {
  reason: WeaknessReason
  message: string
}

interface PasswordContext {
  email?: string | undefined
  username?: string | undefined
  /** The minimum length of a new password in code points; `PASSWORD_MIN_LENGTH` is 8 or more. */
  minLength: number
}

/**
 * Checks a new password (NIST SP 800-63B-4 section 3.1.1.2). These passwords are refused:
 * - a text with NUL or a lone surrogate, of fewer than `minLength` or of more than 256 code points
 * - a common password, and a text that consists wholly of guessable parts; see `isPattern`
 * - the username, the address, its local part, and the local part before a `+`, also with punctuation added
 * - `keyward`, repeated or with digits
 *
 * Upper and lower case count as equal. There are no composition rules, such as a required digit.
 * @returns undefined for an acceptable password
 */
export function weaknessOf(password: string, context: PasswordContext): Weakness | undefined {
  const reason = reasonAgainst(password, context)
  return reason && { reason, message: sentences[reason](context.minLength) }
}

const sentences: Record<WeaknessReason, (minLength: number) => string> = {
  malformed: () => 'The password must be valid Unicode text without NUL',
  too_long: () => `The password must have at most ${passwordMaxLength} characters`,
  too_short: (minLength) => `The password must have at least ${minLength} characters`,
  common: () => 'This password is one of the most common ones',
  pattern: () => 'This password is a simple pattern or a common password with digits: it is easy to guess',
  own_name: () => 'The password must not be your username or email address',
  service_name: () => 'The password must not be the name of this service',
}

function reasonAgainst(password: string, { email, username, minLength }: PasswordContext): WeaknessReason | undefined {
  if (!password.isWellFormed() || password.includes('\0')) return 'malformed'
  const normalized = normalizePassword(password)
  if (normalized === undefined && password !== '') return 'too_long'
  if (normalized === undefined || codePoints(normalized) < minLength) return 'too_short'
  if (isCommon(normalized)) return 'common'
  if (isPattern(foldCase(normalized), isCommon)) return 'pattern'
  if (ownWords(email, username).has(lettersAndDigits(normalized))) return 'own_name'
  if (/^(?:keyward)+$/.test(lettersAndDigits(normalized).replace(/\p{N}/gu, ''))) return 'service_name'
  return undefined
}

const codePoints = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}

const foldCase = (text: string): string => text.normalize('NFKC').toLowerCase()

/** Removes punctuation and spaces and changes to lower case, so that `Anna!` and `an.na` count as the name `anna`. */
const lettersAndDigits = (text: string): string => foldCase(text).replace(/[^\p{L}\p{M}\p{N}]/gu, '')

function ownWords(email = '', username = ''): Set<string> {
  const local = email.slice(0, Math.max(0, email.lastIndexOf('@')))
  const words = new Set([username, email, local, local.split('+')[0] ?? ''].map(lettersAndDigits))
  // An empty name would equal every password that consists only of punctuation.
  words.delete('')
  return words
}

let commonPasswords: ReadonlySet<string> | undefined

/** Returns true for a common password. The set of common passwords takes 4.3 MiB, so the first call makes the set. */
function isCommon(password: string): boolean {
  commonPasswords ??= new Set(readCommonPasswords().split('\n'))
  return commonPasswords.has(foldCase(password))
}
