import type { TrustedProxies } from '../lib/ip.ts'
import { canonicalIp, isIPv4, UNKNOWN_IP } from '../lib/ip.ts'

/**
 * The most entries of `X-Forwarded-For` that are read, more than any chain of proxies has. This limits the work for a
 * header of 16 KiB.
 */
const MAX_HOPS = 16

/**
 * Returns the address of the client, in canonical spelling. When the peer of the connection is not a trusted proxy, the
 * peer is the client. Otherwise `X-Forwarded-For` is read from the right, because each proxy appends the address of its
 * peer at the right end. The first address that is not a trusted proxy is the client. Entries to the left of this
 * address are not read, because the client may have written them.
 *
 * The search also ends at an entry without an address (`unknown`, empty or obfuscated), at the end of the header and
 * after `MAX_HOPS` entries. The last address that was found is then the client. Entries may have ports. `X-Real-IP` and
 * `Forwarded` are never read, because a proxy that does not write these headers passes on the headers that the client
 * sent.
 *
 * Never throws. A peer without an address is `UNKNOWN_IP`, so limits count the requests of such a peer too.
 * @param peer the address of the other end of the connection, as the server reports it
 * @param forwardedFor all `X-Forwarded-For` lines, joined by commas in their order, as `Headers.get` returns them
 */
export function clientIp(peer: string | undefined, forwardedFor: string | null, trusted: TrustedProxies): string {
  let client = peerIp(peer)
  if (forwardedFor === null) return client
  let end = forwardedFor.length
  for (let hop = 0; hop < MAX_HOPS && end >= 0 && trusted.has(client); hop++) {
    const comma = forwardedFor.lastIndexOf(',', end - 1)
    const ip = hopIp(forwardedFor.slice(comma + 1, end).trim())
    if (ip === undefined) break
    client = ip
    end = comma
  }
  return client
}

/**
 * Returns the address of the peer without a zone, such as `%eth0` after a link-local IPv6 address. The zone names a
 * network interface of this machine and says nothing about the client.
 */
const peerIp = (peer = ''): string => canonicalIp(peer) ?? canonicalIp(peer.split('%', 1)[0] ?? '') ?? UNKNOWN_IP

const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/
const withPort = /^([\d.]+):\d{1,5}$/

function hopIp(entry: string): string | undefined {
  if (isIPv4(entry)) return entry
  return canonicalIp(bracketed.exec(entry)?.[1] ?? withPort.exec(entry)?.[1] ?? entry)
}
