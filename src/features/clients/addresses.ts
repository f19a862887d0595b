/* Which addresses an administrator may register for a client. */

const MAX_LENGTH = 2_000

/** Schemes that run code, show files or leave the browser for something that is not an app of the client. */
const refusedSchemes = new Set(
  'javascript data vbscript blob file filesystem about view-source mailto tel ws wss ftp intent'.split(' '),
)

const loopbackNames = new Set(['127.0.0.1', '[::1]', 'localhost'])

export interface AddressRules {
  /** True when a scheme of an app, such as `com.example.app:`, is accepted. */
  allowsApps: boolean
  /** True when `http` is accepted for other hosts than loopback ones. */
  allowsHttp: boolean
}

/**
 * Returns why a redirect URI cannot be registered; undefined when it can. A registered URI is compared byte for byte,
 * so the text stays as it is.
 */
export function redirectProblem(uri: string, { allowsApps, allowsHttp }: AddressRules): string | undefined {
  const unreadable = uriProblem(uri)
  if (unreadable) return unreadable
  const scheme = schemeOf(uri)!
  if (scheme === 'https') return hostProblem(uri)
  if (scheme === 'http') {
    if (!allowsHttp && !isLoopback(uri))
      return 'With http the host must be 127.0.0.1, [::1] or localhost; use https, or allow http explicitly'
    return hostProblem(uri)
  }
  if (refusedSchemes.has(scheme)) return 'This scheme is not accepted'
  return allowsApps ? undefined : 'Only a public client may have the scheme of an app; use https'
}

/** Returns why a URI cannot be the back-channel logout URI of a client. */
export function backchannelProblem(uri: string): string | undefined {
  const unreadable = uriProblem(uri)
  if (unreadable) return unreadable
  const isAllowed = schemeOf(uri) === 'https' || (schemeOf(uri) === 'http' && isLoopback(uri))
  return isAllowed ? hostProblem(uri) : 'The address must begin with https://, or with http:// and a loopback host'
}

/** Returns why a URI cannot be the home page of a client. */
export function homeProblem(uri: string): string | undefined {
  const unreadable = uriProblem(uri)
  if (unreadable) return unreadable
  return /^https?$/.test(schemeOf(uri)!) ? hostProblem(uri) : 'The address must begin with https:// or http://'
}

/** What the audience of Keyward's own access tokens is. */
export interface OwnAudience {
  /** `PUBLIC_URL`. */
  issuer: string
  /** `JWT_AUDIENCE`; undefined when the audience is the issuer. */
  audience: string | undefined
}

/**
 * Returns why a URI cannot be a resource of a client (RFC 8707 section 2). A token of a client must never have the
 * audience of Keyward's own access tokens, because services would take it for one of those.
 */
export function resourceProblem(uri: string, { issuer, audience }: OwnAudience): string | undefined {
  const unreadable = uriProblem(uri)
  if (unreadable) return unreadable
  const scheme = schemeOf(uri)!
  if (refusedSchemes.has(scheme)) return 'This scheme is not accepted'
  const host = /^https?$/.test(scheme) ? hostProblem(uri) : undefined
  if (host) return host
  const resource = comparable(uri)
  const own = comparable(issuer)
  if (resource === own || resource.startsWith(`${own}/`) || resource.startsWith(`${own}?`))
    return 'The resource must not be this server (PUBLIC_URL) or an address below it'
  if (audience !== undefined && (uri === audience || resource === comparable(audience)))
    return "The resource must not be the audience of Keyward's own tokens (JWT_AUDIENCE)"
  return undefined
}

function uriProblem(uri: string): string | undefined {
  if (uri.length > MAX_LENGTH) return 'The address is longer than 2,000 characters'
  if (!/^[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/.test(uri) || /%(?![0-9A-Fa-f]{2})/.test(uri))
    return 'The address may have only the characters of a URI (RFC 3986): no space, backslash, control character or letter outside ASCII'
  if (uri.includes('#')) return 'The address must not have a fragment (#)'
  if (schemeOf(uri) === undefined || !URL.canParse(uri))
    return 'This is not an absolute address; its scheme has small letters'
  if (authorityOf(uri).includes('@')) return 'The address must not have a user name (@)'
  if (pathSegments(uri).some((segment) => /^(?:\.|%2e){1,2}(?:;.*)?$/i.test(segment)))
    return 'The path must not have the segments "." and ".."'
  return undefined
}

/** Returns the problem of an http or https address whose host is empty or not written out. */
const hostProblem = (uri: string): string | undefined =>
  authorityOf(uri) === '' ? 'The address has no host' : undefined

const schemeOf = (uri: string): string | undefined => /^([a-z][a-z0-9+.-]*):./.exec(uri)?.[1]

/** The text between `//` and the path; empty without `//`. */
const authorityOf = (uri: string): string => /^[^:]+:\/\/([^/?]*)/.exec(uri)?.[1] ?? ''

const pathSegments = (uri: string): string[] =>
  uri
    .replace(/^[^:]+:(?:\/\/[^/?]*)?/, '')
    .replace(/\?.*$/, '')
    .split('/')

const isLoopback = (uri: string): boolean => loopbackNames.has(authorityOf(uri).replace(/:\d*$/, ''))

/** One spelling for addresses that mean the same: the host in small letters, no default port, no slash at the end. */
function comparable(address: string): string {
  const text = URL.canParse(address) ? new URL(address).href : address
  return text.replace(/\/+(?=$|\?)/, '')
}
