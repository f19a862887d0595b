import type { IPv4, IPv6 } from 'ipaddr.js'

/** Loaded for the first address that is not written as nearly all are: its forty expressions are half a millisecond of a start. */
const ipaddr = (): typeof import('ipaddr.js') => require('ipaddr.js')

/** Stands for a client whose address nobody knows (RFC 1122 section 3.2.1.3), so that all of them share one limit instead of having none. */
export const UNKNOWN_IP = '0.0.0.0'

/** Without leading zeros. `node:net` knows both forms too, but brings sockets and streams, for which a start would wait. */
const dotted = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?=\d)|$)){4}$/

export const isIPv4 = (text: string): boolean => dotted.test(text)

/** ipaddr.js takes longer groups and octal too. */
const isIPv6 = (text: string): boolean =>
  /^(?!.*[\da-f]{5})[\da-f:.]+$/i.test(text) &&
  (!text.includes('.') || isIPv4(text.slice(text.lastIndexOf(':') + 1))) &&
  ipaddr().IPv6.isValid(text)

/** ipaddr.js takes this deprecated spelling (RFC 4291 section 2.5.5.1) for an IPv4-mapped address; other parsers do not. */
const ipv4Compatible = /^::\d+\./

/** Eight groups as RFC 5952 writes them, which is what nearly every IPv6 client has. Two zero groups in a row would be shortened. */
const eightGroups = /^(?:[1-9a-f][\da-f]{0,3}|0)(?::(?:[1-9a-f][\da-f]{0,3}|0)){7}$/

/**
 * The one spelling of an address, or `undefined` for what is none: dotted decimal for IPv4 and for IPv4-mapped IPv6,
 * RFC 5952 for IPv6. Octal, hexadecimal and short forms, zone ids, ports and spaces are refused.
 * The addresses that real peers have cost 30 to 100 ns, because every request passes here.
 */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text
  // How a dual-stack socket names its IPv4 peers.
  if (text.startsWith('::ffff:') && isIPv4(text.slice(7))) return text.slice(7)
  if (eightGroups.test(text) && !text.includes('0:0')) return text
  if (!isIPv6(text) || ipv4Compatible.test(text)) return undefined
  return ipaddr().process(text).toString()
}

/**
 * What limits count by: an IPv4 address whole, an IPv6 address by its /64, which is the least a customer is given,
 * so that one who draws fresh addresses out of it gains nothing. What is no address counts as `UNKNOWN_IP`.
 */
export const clientPrefix = (ip: string): string => prefixOf(ip, 32, 64)

/** An address shortened for long-lived records: its IPv4 /24 or IPv6 /48, written as a network so that nobody takes it for a host. */
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

/** A network: `bits` leading bits of `address`. */
export interface Cidr {
  address: IPv4 | IPv6
  bits: number
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32` or a single address; `undefined` for anything else. Bits beyond the prefix are
 * ignored, as elsewhere (`172.17.0.1/16` is what Docker prints). A network of IPv4-mapped addresses is its IPv4 network.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const ip = canonicalIp(slash === -1 ? text : text.slice(0, slash))
  if (ip === undefined) return undefined
  const address = ipaddr().parse(ip)
  const width = address.kind() === 'ipv4' ? 32 : 128
  if (slash === -1) return { address, bits: width }
  const length = text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined
  const bits = Number(length) - (width === 32 && text.includes(':') ? 96 : 0)
  return bits >= 0 && bits <= width ? { address, bits } : undefined
}

/** The proxies whose `X-Forwarded-For` is believed. */
export interface TrustedProxies {
  /** True when the header need not even be read. */
  readonly empty: boolean
  /** Whether `ip`, in canonical spelling, is one of them. */
  has(ip: string): boolean
}

/**
 * Compiles `TRUSTED_PROXIES` once, for a check on every request.
 * @throws RangeError naming the entry that is no address or network, or that holds every address: with `/0` each
 * client would be a proxy and could write its own address.
 */
export function createTrustedProxies(list: readonly string[]): TrustedProxies {
  const ipv4: { network: number; mask: number }[] = []
  const ipv6: [IPv6, number][] = []
  for (const entry of list) {
    const cidr = parseCidr(entry)
    if (cidr === undefined) throw new RangeError(`not an IP address or CIDR network: ${entry}`)
    const { address, bits } = cidr
    if (bits === 0) throw new RangeError(`trusts every address there is: ${entry}`)
    if (address instanceof ipaddr().IPv6) {
      ipv6.push([address, bits])
    } else {
      const mask = -1 << (32 - bits)
      ipv4.push({ network: ipv4Word(address.toString()) & mask, mask })
    }
  }
  return {
    empty: list.length === 0,
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

/** Dotted decimal as the signed 32-bit integer that bit operators yield. */
function ipv4Word(ip: string): number {
  let word = 0
  let octet = 0
  for (let at = 0; at < ip.length; at++) {
    const digit = ip.charCodeAt(at) - 0x30
    if (digit >= 0) octet = octet * 10 + digit
    else {
      word = (word << 8) | octet
      octet = 0
    }
  }
  return (word << 8) | octet
}
