import { domainToASCII } from 'node:url'

interface EmailAddress {
  /** The address to which mail is sent: the local part as typed, the domain in lower-case IDNA A-labels. */
  email: string
  /** `email` in lower case, for uniqueness and look-ups. */
  emailKey: string
}

/** The message of the field error when `normalizeEmail` returns undefined. */
export const invalidEmail = 'The email address is not valid'

/**
 * Reads an ordinary address: an RFC 5322 dot-atom in ASCII of at most 64 characters, one `@`, and a domain name of at
 * least two labels, at most 254 bytes in all (RFC 5321 section 4.5.3.1). An international domain is changed to its
 * A-labels (RFC 5890), so both spellings of the domain give the same key. `ann+shop@…` and `ann@…` have different keys.
 * @returns undefined for any other text. Some of these texts could mean a second address or another host to a mail
 *   program: lists, quoted local parts, encoded-words, comments, white space, control characters, IP literals, and
 *   letters that Unicode normalisation changes to `@`, `/` and the like
 */
export function normalizeEmail(input: string): EmailAddress | undefined {
  // The length is checked first, so that the code below never works on a very long text.
  if (input.length > 254) return undefined
  const at = input.indexOf('@')
  const local = input.slice(0, Math.max(at, 0))
  const domain = domainName(input.slice(at + 1))
  if (local.length > 64 || !local.split('.').every(isAtom) || domain === undefined) return undefined
  // A mail program may decode an encoded-word (RFC 2047), although the standard forbids encoded-words in addresses. The
  // decoded text can be another address.
  if (/=\?.*\?=/.test(local)) return undefined
  const email = `${local}@${domain}`
  return email.length <= 254 ? { email, emailKey: email.toLowerCase() } : undefined
}

const isAtom = (text: string): boolean => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/.test(text)

function domainName(typed: string): string | undefined {
  const ascii = toALabels(typed)?.toLowerCase()
  if (ascii === undefined) return undefined
  const labels = ascii.split('.')
  // A domain whose last label begins with a digit could be read as an IPv4 address.
  const isName = labels.length >= 2 && labels.every(isLabel) && /^[a-z]/.test(labels.at(-1) ?? '')
  return isName ? ascii : undefined
}

/** Returns true for a label of a host name (RFC 1123 section 2.1). */
const isLabel = (label: string): boolean =>
  label.length <= 63 && /^[a-z0-9-]+$/.test(label) && !label.startsWith('-') && !label.endsWith('-')

function toALabels(domain: string): string | undefined {
  // Other ASCII characters are refused, because `domainToASCII` would remove tabs, decode %2e and stop at a slash.
  if (/[^A-Za-z0-9.\-\u0080-\u{10ffff}]/u.test(domain)) return undefined
  // IDNA mapping would remove invisible characters, and the stored address would silently differ from the typed one.
  if (/\p{Default_Ignorable_Code_Point}/u.test(domain)) return undefined
  if (/^[\x20-\x7e]*$/.test(domain) && !/(?:^|\.)xn--/i.test(domain)) return domain
  return domainToASCII(domain) || undefined
}
