/** The origins of redirect URIs, as browsers send them in `Origin`: those with https, and with http on loopback hosts. */
export function originsOf(redirectUris: readonly string[]): ReadonlySet<string> {
  const origins = new Set<string>()
  for (const uri of redirectUris) {
    const { protocol, hostname, origin } = new URL(uri)
    if (protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname))) origins.add(origin)
  }
  return origins
}

const loopback = new Set(['127.0.0.1', '[::1]', 'localhost'])
