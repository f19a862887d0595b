import { isLoopback } from './ip.ts'

/** A mail server. `shown` is its address without the password, for printing and logs. */
export interface SmtpServer {
  host: string
  port: number
  /** `implicit`: TLS from the first byte. `starttls`: TLS must follow. `none`: no TLS. */
  tls: 'implicit' | 'starttls' | 'none'
  auth: { user: string; pass: string } | undefined
  /** A file with the certificates (PEM) of a private authority, in addition to those of the system. */
  ca: string | undefined
  shown: string
}

/**
 * Parses an `SMTP_URL`: `smtps://user:password@host` (TLS, port 465) or `smtp://user:password@host` (STARTTLS, port
 * 587), both with an optional port. A reserved character in the user or the password must be percent-encoded.
 * Parameters: `tls=none` for a relay without TLS (RFC 3207), `ca=/path` for a private authority.
 * @returns undefined for anything else, unknown parameters included. A password without TLS is accepted for a relay on
 *   this machine only.
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

/** Returns `SmtpServer.shown` of a mail server's address. For any other text, returns its scheme and asterisks. */
export const maskSmtpUrl = (text: string): string =>
  parseSmtpUrl(text)?.shown ?? `${/^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0] ?? ''}********`

/** @returns undefined when the address has no user, null when the user or the password is malformed or missing */
function credentials({ username, password }: URL): SmtpServer['auth'] | null {
  if (username === '' && password === '') return undefined
  if (username === '' || password === '') return null
  try {
    return { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  } catch {
    return null
  }
}
