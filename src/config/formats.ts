import { canonicalIp } from '../lib/ip.ts'

/** Returns true for an address that a server can listen on: an IP address or a host name (RFC 1123 section 2.1). */
export const isHost = (text: string): boolean =>
  canonicalIp(text) !== undefined ||
  (text.length <= 253 &&
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(text))

/**
 * Returns true for an origin exactly as a browser sends it (RFC 6454 section 6.2): in lower case, without a default
 * port and without a path. Origins of apps such as `capacitor://localhost` are accepted; `null` and `*` are not.
 */
export function isOrigin(text: string): boolean {
  if (/[*A-Z]/.test(text) || !URL.canParse(text)) return false
  const { protocol, host } = new URL(text)
  return host !== '' && text === `${protocol}//${host}`
}

/**
 * Returns the canonical spelling of a base address: an http or https origin and an optional path, without a slash at
 * the end.
 * @returns undefined for an address with a query, a fragment, credentials, spaces or backslashes, and for any other
 * text
 */
export function baseUrl(text: string): string | undefined {
  if (!/^https?:\/\/[^/@?#\s\\]+(?:\/[^?#\s\\]*)?$/i.test(text) || !URL.canParse(text)) return undefined
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`.replace(/\/+$/, '')
}

/**
 * Returns true for text without control characters, line separators and lone surrogates. Such text stays on one line in
 * a mail, a header and a log.
 */
export const isPlainLine = (text: string): boolean => !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text)

/**
 * Returns true for an address, or for `Name <address>`: the `From` header of a mail (RFC 5322 section 3.4), without
 * quotes and comments.
 */
export const isMailSender = (text: string): boolean =>
  text.length <= 320 &&
  isPlainLine(text) &&
  /^(?:[^<>()"\\,;:@]{1,64} <[^\s<>@"]+@[^\s<>@"]+>|[^\s<>@"]+@[^\s<>@"]+)$/.test(text)

/** Returns true for a mail address alone, without a name. */
export const isMailAddress = (text: string): boolean => isMailSender(text) && !text.includes('<')

/** Returns true for a mail domain in lower case and in the ASCII form of IDNA, without a leading dot. */
export const isMailDomain = (text: string): boolean =>
  text.length <= 253 && /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(text)
