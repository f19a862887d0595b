/**
 * Returns the value of a cookie in a `Cookie` header (RFC 6265 section 4.2.1). When the header has the name twice, it is
 * the first one, which has the longer path (section 5.4).
 * @returns undefined when there is no such cookie
 */
export function readCookie(header: string | null, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
}

export interface CookieToSet {
  name: string
  /** Without the characters that RFC 6265 section 4.1.1 forbids, such as `;` and spaces. Empty to delete the cookie. */
  value: string
  /** How long the browser keeps the cookie. Undefined: until the browser is closed. */
  maxAgeSeconds?: number | undefined
  isSecure: boolean
}

/**
 * Makes a `Set-Cookie` header (RFC 6265 section 4.1). Scripts cannot read the cookie, and a browser does not send it with
 * a form or a picture of another site.
 */
export function setCookie({ name, value, maxAgeSeconds, isSecure }: CookieToSet): string {
  const parts = [`${name}=${value}`, 'Path=/', 'HttpOnly', 'SameSite=Lax']
  if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${maxAgeSeconds}`)
  if (isSecure) parts.push('Secure')
  return parts.join('; ')
}
