/**
 * Returns true when a request may use the redirect URI `asked`: it is one of the registered URIs, byte for byte, or it
 * differs in nothing but the port from a registered `http` URI of a loopback IP address (RFC 8252 section 7.3). The name
 * `localhost` is not a loopback IP address. Nothing is decoded or normalized, so no two spellings are ever equal.
 */
export function allowsRedirect(registered: readonly string[], asked: string): boolean {
  if (registered.includes(asked)) return true
  const wanted = withoutPort(asked)
  return wanted !== undefined && registered.some((uri) => withoutPort(uri) === wanted)
}

const loopback = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::([1-9]\d{0,4}))?(?=[/?]|$)/

/** Removes the port of an `http` URI whose host is a loopback IP address. @returns undefined for any other text */
function withoutPort(uri: string): string | undefined {
  const found = loopback.exec(uri)
  if (!found || Number(found[2] ?? 80) > 65_535) return undefined
  return found[1]! + uri.slice(found[0].length)
}

/** Returns true for an `http` URI whose host is a loopback IP address: a program on the user's device. */
export const isLoopbackUri = (uri: string): boolean => loopback.test(uri)

export interface RedirectComparison {
  registered: string
  isAllowed: boolean
  /** The number of characters before the first one that differs. */
  differsAt: number
}

/** Compares an address with each registered one, to show why it is not allowed. */
export const compareRedirects = (registered: readonly string[], asked: string): RedirectComparison[] =>
  registered.map((uri) => {
    let at = 0
    while (at < uri.length && uri[at] === asked[at]) at++
    return { registered: uri, isAllowed: allowsRedirect([uri], asked), differsAt: at }
  })
