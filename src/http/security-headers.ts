const commonHeaders = Object.entries({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
})

/**
 * Puts the headers of every answer on one, but for those that it has in words of its own: all answers are private, and a
 * route whose answer may be kept says so itself. One by one costs Bun half of what an object of headers for a new
 * `Response` does.
 */
export function putCommonHeaders(headers: Headers): void {
  for (const [name, value] of commonHeaders) if (!headers.has(name)) headers.set(name, value)
}

/** What `/docs` needs and nothing more; `'unsafe-inline'` nowhere. */
export const pageSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
