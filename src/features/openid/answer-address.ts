/**
 * Adds the parameters of an answer to a redirect URI (RFC 6749 section 4.1.2). The URI stays as it is registered, with
 * its own query.
 */
export function answerAddress(redirectUri: string, parameters: Readonly<Record<string, string>>): string {
  const separator = !redirectUri.includes('?') ? '?' : /[?&]$/.test(redirectUri) ? '' : '&'
  return redirectUri + separator + new URLSearchParams(parameters)
}

/**
 * The source for `form-action` of a page whose form ends at a redirect URI: the origin of a loopback address, the scheme
 * of a program, and nothing for https, which every such page allows.
 */
export function formActionOf(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri)
  if (protocol === 'https:') return ''
  return protocol === 'http:' ? origin : protocol
}
