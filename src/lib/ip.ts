import type { IPv4, IPv6 } from 'ipaddr.js'

/**
 * Loads ipaddr.js when a network or an IPv6 address first needs the library. Its forty regular expressions would take
 * half a millisecond of a start.
 */
const ipaddr = (): typeof import('ipaddr.js') => require('ipaddr.js')

/**
 * The address that is used when the address of a client is unknown (RFC 1122 section 3.2.1.3). Rate limits count all
 * such clients as one client.
 */
export const UNKNOWN_IP = '0.0.0.0'

/**
 * Matches an IPv4 address without leading zeros. The check of `node:net` is not used, because this module also loads
 * sockets and streams, which would delay the start.
 */
const dotted = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?=\d)|$)){4}$/

export const isIPv4 = (text: string): boolean => dotted.test(text)

/** ipaddr.js also accepts groups of more than four digits and octal numbers. The first two conditions refuse both. */
const isIPv6 = (text: string): boolean =>
  /^(?!.*[\da-f]{5})[\da-f:.]+$/i.test(text) &&
  (!text.includes('.') || isIPv4(text.slice(text.lastIndexOf(':') + 1))) &&
  ipaddr().IPv6.isValid(text)

/**
 * Matches an IPv4-compatible address such as `::192.0.2.1`, a deprecated spelling (RFC 4291 section 2.5.5.1).
 * `canonicalIp` refuses it, because ipaddr.js reads it as an IPv4-mapped address, and other parsers do not.
 */
const ipv4Compatible = /^::\d+\./

/**
 * Matches an IPv6 address of eight groups in the spelling of RFC 5952. The address of nearly every IPv6 client has this
 * form, and needs no work by ipaddr.js. RFC 5952 shortens two zero groups in a row, so `canonicalIp` also excludes
 * `0:0`.
 */
const eightGroups = /^(?:[1-9a-f][\da-f]{0,3}|0)(?::(?:[1-9a-f][\da-f]{0,3}|0)){7}$/

/**
 * Returns the canonical spelling of an address: dotted decimal for IPv4 and for IPv4-mapped IPv6, RFC 5952 for IPv6.
 * This function runs for every request, and takes 30 to 100 ns for the address of a usual client.
 * @returns undefined for other text, such as octal, hexadecimal and short forms, zone ids, ports and spaces
 */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text
  // A dual-stack socket reports an IPv4 peer as `::ffff:` and the IPv4 address.
  if (text.startsWith('::ffff:') && isIPv4(text.slice(7))) return text.slice(7)
  if (eightGroups.test(text) && !text.includes('0:0')) return text
  if (!isIPv6(text) || ipv4Compatible.test(text)) return undefined
  return ipaddr().process(text).toString()
}

/**
 * Returns the network that limits count as one client: the IPv4 address, or the /64 of an IPv6 address. A customer gets
 * at least a /64 from the provider, so limits for single IPv6 addresses would be useless. Text that is not an address
 * counts as `UNKNOWN_IP`.
 */
export const clientPrefix = (ip: string): string => prefixOf(ip, 32, 64)

/**
 * Shortens an address for records that are kept for long: returns the IPv4 /24 or the IPv6 /48, written as a network.
 * Text that is not an address counts as `UNKNOWN_IP`.
 */
export const shortenIp = (ip: string): string => prefixOf(ip, 24, 48)

function prefixOf(ip: string, ipv4Bits: 24 | 32, ipv6Bits: 48 | 64): string {
  const canonical = canonicalIp(ip) ?? UNKNOWN_IP
  if (canonical.includes(':')) {
    const { IPv6 } = ipaddr()
    const { parts } = IPv6.parse(canonical)
    return `${new IPv6(parts.fill(0, ipv6Bits / 16))}/${ipv6Bits}`
  }
  return ipv4Bits === 32 ? canonical : `${canonical.slice(0, canonical.lastIndexOf('.'))}.0/24`
}

/** A network: the first `bits` bits of `address`. */
export interface Cidr {
  /** The network as the operator wrote it. */
  text: string
  address: IPv4 | IPv6
  bits: number
}

/**
 * Parses a network such as `10.0.0.0/8` or `2001:db8::/32`, or a single address. Bits after the prefix are ignored, as
 * in other programs (Docker prints `172.17.0.1/16`). A network of IPv4-mapped addresses becomes the IPv4 network.
 * @returns undefined for any other text
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const ip = canonicalIp(slash === -1 ? text : text.slice(0, slash))
  if (ip === undefined) return undefined
  const address = ipaddr().parse(ip)
  const width = address.kind() === 'ipv4' ? 32 : 128
  if (slash === -1) return { text, address, bits: width }
  const length = text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined
  const bits = Number(length) - (width === 32 && text.includes(':') ? 96 : 0)
  return bits >= 0 && bits <= width ? { text, address, bits } : undefined
}

/**
 * Parses an entry of `TRUSTED_PROXIES`.
 * @returns undefined for text that is no network, and for `/0`, which would make every client a trusted proxy that can
 * forge addresses
 */
export function parseProxy(text: string): Cidr | undefined {
  const cidr = parseCidr(text)
  return cidr?.bits === 0 ? undefined : cidr
}

/** The proxies whose `X-Forwarded-For` is trusted. */
export interface TrustedProxies {
  /** True when no proxy is trusted, so `X-Forwarded-For` is ignored. */
  readonly empty: boolean
  /** Returns true when `ip`, which must be in canonical spelling, is a trusted proxy. */
  has(ip: string): boolean
}

/** Makes a fast check for addresses out of `TRUSTED_PROXIES`, because every request is checked. */
export function createTrustedProxies(proxies: readonly Cidr[]): TrustedProxies {
  const ipv4: { network: number; mask: number }[] = []
  const ipv6: [IPv6, number][] = []
  for (const { address, bits } of proxies) {
    if (address instanceof ipaddr().IPv6) {
      ipv6.push([address, bits])
    } else {
      // A power, because a shift by 32 bits, for a `/0`, is in JavaScript a shift by 0 bits.
      const mask = -(2 ** (32 - bits)) | 0
      ipv4.push({ network: ipv4Word(address.toString()) & mask, mask })
    }
  }
  return {
    empty: proxies.length === 0,
    has(ip) {
      if (ip.includes(':')) {
        if (ipv6.length === 0) return false
        const address = ipaddr().IPv6.parse(ip)
        return ipv6.some((network) => address.match(network))
      }
      const word = ipv4Word(ip)
      return ipv4.some(({ network, mask }) => (word & mask) === network)
    },
  }
}

/** Converts dotted decimal to a signed 32-bit integer, as JavaScript's bit operators use. */
const ipv4Word = (ip: string): number => ip.split('.').reduce((word, octet) => (word << 8) | Number(octet), 0)

/**
 * Returns true for the host of a server that only this machine can reach: `localhost`, a name below it, or a loopback
 * address.
 */
export const isLoopback = (host: string): boolean =>
  /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[?::1\]?)$/i.test(host)
