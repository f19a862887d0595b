import type { TrustedProxies } from '../lib/ip.ts'
import { canonicalIp, isIPv4, UNKNOWN_IP } from '../lib/ip.ts'

/** More proxies than any chain has; it bounds what a header of 16 KiB can cost. */
const MAX_HOPS = 16

/**
 * The address of the client, in canonical spelling. The peer of the connection, unless that is a trusted proxy: then
 * `X-Forwarded-For` is walked from the right, where each proxy appended the address it saw, and the first that is not
 * a trusted proxy is the client. What stands left of it was written by the client and is not read.
 *
 * An entry that is no address (`unknown`, an empty one, an obfuscated one) ends the walk at the hop that wrote it, and
 * so does the end of the header. Entries may carry ports. Other headers (`X-Real-IP`, `Forwarded`) are never read:
 * a proxy that does not write them passes on what the client put there.
 *
 * Never throws; a peer without an address is `UNKNOWN_IP`, so that limits still count it.
 * @param peer the address of the connection's other end, as the server tells it
 * @param forwardedFor all `X-Forwarded-For` lines, joined by commas in their order, as `Headers.get` gives them
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

/** The zone of a link-local peer names our own network interface and says nothing about the client. */
const peerIp = (peer = ''): string => canonicalIp(peer) ?? canonicalIp(peer.split('%', 1)[0] ?? '') ?? UNKNOWN_IP

const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/
const withPort = /^([\d.]+):\d{1,5}$/

function hopIp(entry: string): string | undefined {
  if (isIPv4(entry)) return entry
  return canonicalIp(bracketed.exec(entry)?.[1] ?? withPort.exec(entry)?.[1] ?? entry)
}
