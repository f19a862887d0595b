import { isLoopback } from './ip.ts'

/** A mail server. `shown` is its address for printing and logs, with asterisks for the password. */
export interface SmtpServer {
  host: string
  port: number
  /**
   * `implicit`: TLS from the first byte. `starttls`: the connection must change to TLS before a mail is sent. `none`:
   * no TLS.
   */
  tls: 'implicit' | 'starttls' | 'none'
  auth: { user: string; pass: string } | undefined
  /**
   * The path of a file with the certificates (PEM) of a private authority, which is trusted beside the authorities of
   * the system.
   */
  ca: string | undefined
  shown: string
}

/**
 * Parses an `SMTP_URL`: `smtps://user:password@host` (TLS, port 465) or `smtp://user:password@host` (STARTTLS of RFC
 * 3207, port 587), both with an optional port. A reserved character in the user or the password must be
 * percent-encoded. Parameters: `tls=none` for a relay without TLS, `ca=/path` for a private authority.
 * @returns undefined for any other text, for an unknown or repeated parameter, and for a password without TLS, unless
 * the relay is on this machine
 */
export function parseSmtpUrl(text: string): SmtpServer | undefined {
  if (!/^smtps?:\/\/[^\s/#]+\/?(?:\?[^\s#]*)?$/i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const isImplicit = url.protocol === 'smtps:'
  const parameters = [...url.searchParams]
  const known = parameters.every(([name]) => name === 'ca' || (name === 'tls' && !isImplicit))
  if (!known || new Set(parameters.map(([name]) => name)).size < parameters.length) return undefined
  const given = url.searchParams.get('tls')
  if (given !== null && given !== 'none') return undefined
  const auth = credentials(url)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const tls = isImplicit ? 'implicit' : given === 'none' ? 'none' : 'starttls'
  if (auth === null || host === '' || (auth && tls === 'none' && !isLoopback(host))) return undefined
  const port = url.port === '' ? (isImplicit ? 465 : 587) : Number(url.port)
  if (url.password !== '') url.password = '********'
  return { host, port, tls, auth, ca: url.searchParams.get('ca') ?? undefined, shown: url.href }
}

/**
 * Returns `SmtpServer.shown` of an address that `parseSmtpUrl` accepts. For any other text, returns the scheme and
 * asterisks, because a password may be anywhere in the text.
 */
export const maskSmtpUrl = (text: string): string =>
  parseSmtpUrl(text)?.shown ?? `${/^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0] ?? ''}********`

/**
 * Returns the user and the password of an address.
 * @returns undefined when the address has neither, null when one of them is malformed or missing
 */
function credentials({ username, password }: URL): SmtpServer['auth'] | null {
  if (username === '' && password === '') return undefined
  if (username === '' || password === '') return null
  try {
    return { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  } catch {
    return null
  }
}
