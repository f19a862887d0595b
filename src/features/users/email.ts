import { domainToASCII } from 'node:url'

export interface EmailAddress {
  /** The local part as typed, the domain in lower-case IDNA A-labels: where mail is sent. */
  email: string
  /** `email` in lower case: what uniqueness and lookups go by. */
  emailKey: string
}

/** For the field error when `normalizeEmail` answers `undefined`. */
export const invalidEmail = 'The email address is not valid'

/**
 * Reads an address as people have them: an RFC 5322 dot-atom in ASCII of at most 64 characters, one `@`, and a domain
 * name of at least two labels, at most 254 bytes in all (RFC 5321 section 4.5.3.1). An international domain becomes
 * its A-labels (RFC 5890), so that two spellings of one mailbox have one key; a plus-address stays what it is.
 *
 * `undefined` for everything else, above all what another mail program may read as a second address or another host:
 * lists, quoted local parts, comments, white space, control characters, IP literals, and letters that Unicode
 * normalisation turns into `@`, `/` or the like.
 */
export function normalizeEmail(input: string): EmailAddress | undefined {
  // Before all else, so that nothing below works on more than a line of text.
  if (input.length > 254) return undefined
  const at = input.indexOf('@')
  const local = input.slice(0, Math.max(at, 0))
  const domain = domainName(input.slice(at + 1))
  if (local.length > 64 || !local.split('.').every(isAtom) || domain === undefined) return undefined
  const email = `${local}@${domain}`
  return email.length <= 254 ? { email, emailKey: email.toLowerCase() } : undefined
}

const isAtom = (text: string): boolean => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/.test(text)

function domainName(typed: string): string | undefined {
  const ascii = toALabels(typed)?.toLowerCase()
  if (ascii === undefined) return undefined
  const labels = ascii.split('.')
  // A last label that begins with a digit is an IPv4 address, in one of the ways to write one.
  const isName = labels.length >= 2 && labels.every(isLabel) && /^[a-z]/.test(labels.at(-1) ?? '')
  return isName ? ascii : undefined
}

/** RFC 1123 section 2.1. */
const isLabel = (label: string): boolean =>
  label.length <= 63 && /^[a-z0-9-]+$/.test(label) && !label.startsWith('-') && !label.endsWith('-')

function toALabels(domain: string): string | undefined {
  // `domainToASCII` reads the host out of a URL: it drops tabs, decodes %2e, stops at a slash.
  if (/[^A-Za-z0-9.\-\u0080-\u{10ffff}]/u.test(domain)) return undefined
  // What is invisible would vanish in IDNA mapping, and with it the difference between what is seen and what is meant.
  if (/\p{Default_Ignorable_Code_Point}/u.test(domain)) return undefined
  if (/^[\x20-\x7e]*$/.test(domain) && !/(?:^|\.)xn--/i.test(domain)) return domain
  return domainToASCII(domain) || undefined
}
