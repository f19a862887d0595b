import { canonicalIp } from './ip.ts'

/**
 * Which addresses Keyward's own requests may reach.
 * - `public`: addresses of the Internet.
 * - `private`: also this machine and private networks (RFC 1918, RFC 6598, RFC 4193).
 * Neither includes link-local addresses and the metadata services of cloud providers, which hand out credentials of the
 * machine, nor addresses that no server has, such as `0.0.0.0` and multicast.
 */
export type AllowedAddresses = 'public' | 'private'

/** The ranges of ipaddr.js that `private` adds. */
const privateRanges = new Set(['loopback', 'private', 'carrierGradeNat', 'uniqueLocal'])

/**
 * Metadata services outside the link-local networks: Alibaba, Azure, Amazon and Google. (Oracle's is in a reserved
 * range.)
 */
const metadata = new Set(['100.100.100.200', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'])

/**
 * Returns true when a request may be sent to `address`. IPv4 addresses inside of IPv6 addresses count as the IPv4
 * address: IPv4-mapped ones (`::ffff:127.0.0.1`) and those of NAT64 (`64:ff9b::/96`, RFC 6052). Those of 6to4 and Teredo
 * are refused.
 * @param address an IPv4 or IPv6 address without brackets; other text is refused
 */
export function mayReach(address: string, allowed: AllowedAddresses): boolean {
  const ip = canonicalIp(address)
  if (ip === undefined || metadata.has(ip)) return false
  const { IPv4, IPv6 } = require('ipaddr.js') as typeof import('ipaddr.js')
  if (!ip.includes(':')) return isAllowed(IPv4.parse(ip).range(), allowed)
  const parsed = IPv6.parse(ip)
  const { parts } = parsed
  if (parsed.match(IPv6.parse('64:ff9b::'), 96)) {
    const [high, low] = [parts[6]!, parts[7]!]
    return mayReach(`${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`, allowed)
  }
  const range = parsed.range()
  // Only 2000::/3 is given to networks (RFC 4291 section 2.4); ipaddr.js calls the rest of the space unicast too.
  if (range === 'unicast') return parts[0]! >> 13 === 1
  return isAllowed(range, allowed)
}

const isAllowed = (range: string, allowed: AllowedAddresses): boolean =>
  range === 'unicast' || (allowed === 'private' && privateRanges.has(range))
