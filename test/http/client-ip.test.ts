import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { clientIp } from '../../src/http/client-ip.ts'
import { canonicalIp, createTrustedProxies, parseProxy, UNKNOWN_IP } from '../../src/lib/ip.ts'

const nobody = createTrustedProxies([])
const trusted = createTrustedProxies(['10.0.0.0/8', '2001:db8:ffff::/48'].map((entry) => parseProxy(entry)!))

describe('clientIp without trusted proxies', () => {
  test('is the peer, whatever the header contains', () => {
    for (const header of [null, '', '203.0.113.9', '203.0.113.9, 10.0.0.1', 'rubbish'])
      expect(clientIp('192.0.2.1', header, nobody)).toBe('192.0.2.1')
  })

  test('normalizes the peer and removes the zone of a link-local address', () => {
    expect(clientIp('::ffff:192.0.2.1', null, nobody)).toBe('192.0.2.1')
    expect(clientIp('2001:DB8:0::1', null, nobody)).toBe('2001:db8::1')
    expect(clientIp('fe80::1%eth0', null, nobody)).toBe('fe80::1')
  })

  test('gives all peers without an address the same key', () => {
    for (const peer of [undefined, '', '%', '/run/keyward.sock'])
      expect(clientIp(peer, '203.0.113.9', nobody)).toBe(UNKNOWN_IP)
  })
})

describe('clientIp behind trusted proxies', () => {
  test.each([
    ['the peer, if it is not a trusted proxy, despite its header', '192.0.2.1', '203.0.113.9', '192.0.2.1'],
    ['unknown, for a peer without an address', undefined, '203.0.113.9', UNKNOWN_IP],
    ['no header: the proxy itself', '10.0.0.1', null, '10.0.0.1'],
    ['an empty header: the proxy itself', '10.0.0.1', '', '10.0.0.1'],
    ['one hop', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['the proxy named in the IPv4-mapped form', '::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['a forged entry left of the real one', '10.0.0.1', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['a forged chain that names our own proxies', '10.0.0.1', '1.1.1.1, 10.0.0.9, 203.0.113.9', '203.0.113.9'],
    ['two proxies', '10.0.0.1', '1.1.1.1, 203.0.113.9,10.0.0.2', '203.0.113.9'],
    ['proxies of both families', '10.0.0.1', '203.0.113.9, 2001:db8:ffff::2', '203.0.113.9'],
    ['only proxies: the farthest', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['spaces and tabs', '10.0.0.1', ' 203.0.113.9\t,  10.0.0.2 ', '203.0.113.9'],
    ['a port', '10.0.0.1', '203.0.113.9:51234', '203.0.113.9'],
    ['an IPv6 address', '10.0.0.1', '2001:db8:1::9', '2001:db8:1::9'],
    ['an IPv6 address in brackets', '10.0.0.1', '[2001:DB8:1::9]', '2001:db8:1::9'],
    ['an IPv6 address with a port', '10.0.0.1', '[2001:db8:1::9]:443, 10.0.0.2:80', '2001:db8:1::9'],
    ['an IPv4-mapped address', '10.0.0.1', '::ffff:203.0.113.9', '203.0.113.9'],
  ])('%s', (_, peer, header, client) => {
    expect(clientIp(peer, header, trusted)).toBe(client)
  })

  test.each([
    'unknown',
    '_hidden',
    '203.0.113.9.',
    '203.0.113.256',
    '203.0.113.09',
    '203.0.113.9:',
    '203.0.113.9:123456',
    '203.0.113.9:80:80',
    '2001:db8:1::9]:443',
    '[2001:db8:1::9',
    '[2001:db8:1::9]443',
    '[2001:db8:1::9]:',
    '[2001:db8:1::9]:123456',
    '[]:443',
    'fe80::1%eth0',
    '"203.0.113.9"',
    'for=203.0.113.9',
    '203.0.113.9 198.51.100.1',
    '',
    ' ',
    '1'.repeat(5_000),
  ])('stops at a hop that wrote no address: %j', (entry) => {
    expect(clientIp('10.0.0.1', `198.51.100.1, ${entry}, 10.0.0.2`, trusted)).toBe('10.0.0.2')
    expect(clientIp('10.0.0.1', `198.51.100.1, ${entry}`, trusted)).toBe('10.0.0.1')
  })

  test('stops at a leading comma of the header', () => {
    expect(clientIp('10.0.0.1', ',10.0.0.2', trusted)).toBe('10.0.0.2')
    expect(clientIp('10.0.0.1', ',', trusted)).toBe('10.0.0.1')
  })

  test('ignores padding on the left', () => {
    expect(clientIp('10.0.0.1', `${'1.1.1.1, '.repeat(100_000)}203.0.113.9, 10.0.0.2`, trusted)).toBe('203.0.113.9')
  })

  test('reads at most sixteen hops', () => {
    const chain = (hops: number) => ['203.0.113.9', ...Array.from({ length: hops }, (_, at) => `10.0.1.${at}`)].join()
    expect(clientIp('10.0.0.1', chain(15), trusted)).toBe('203.0.113.9')
    expect(clientIp('10.0.0.1', chain(16), trusted)).toBe('10.0.1.0')
  })

  test('returns a normalized address and never throws', () => {
    const entry = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('10.0.0.2', '[', ']:1', '%', ',', '::'))
    fc.assert(
      fc.property(fc.oneof(entry, fc.constant('10.0.0.1')), fc.array(entry), (peer, entries) => {
        const client = clientIp(peer, entries.join(', '), trusted)
        expect(canonicalIp(client)).toBe(client)
      }),
      { seed: 20260101, numRuns: 500 },
    )
  })
})
