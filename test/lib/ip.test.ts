import { describe, expect, test } from 'bun:test'
import { isIP } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import {
  canonicalIp,
  clientPrefix,
  createTrustedProxies,
  parseCidr,
  parseProxy,
  shortenIp,
  UNKNOWN_IP,
} from '../../src/lib/ip.ts'

const runs = { seed: 20260101, numRuns: 500 }

describe('canonicalIp', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['0:0:0:0:0:ffff:c000:201', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8:0:0:1:1:1:1', '2001:db8::1:1:1:1'],
    ['2001:db8:10:0:1:1:1:1', '2001:db8:10:0:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::1', '::1'],
    ['::', '::'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical)
  })

  test.each([
    '',
    ' 192.0.2.1',
    '192.0.2.1\n',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.01',
    '0300.0.2.1',
    '0xc0.0.2.1',
    '3221225985',
    '192.0.2.1:80',
    '192.0.2.0/24',
    '::ffff:192.0.2.01',
    '::ffff:192.0.2.256',
    '::192.0.2.1',
    '2001:db8::0x1.2.3.4',
    'fe80::1%eth0',
    '::1%1',
    '[::1]',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    ':1:2:3:4:5:6:7:8',
    '2001:db8::12345',
    'localhost',
    'unknown',
  ])('refuses %j', (text) => {
    expect(canonicalIp(text)).toBeUndefined()
  })

  test('takes what node:net takes, but for zones and the spelling that only ipaddr.js reads as mapped', () => {
    const piece = fc.constantFrom(
      '0',
      '1',
      '255',
      '256',
      '01',
      '.',
      ':',
      '::',
      'fFfF',
      '12345',
      '::ffff:',
      '1.2.3.4',
      '%',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => pieces.join('')),
        (text) => {
          const taken = isIP(text) !== 0 && !text.includes('%') && !/^::\d+\./.test(text)
          expect(canonicalIp(text) !== undefined).toBe(taken)
        },
      ),
      { ...runs, numRuns: 20_000 },
    )
  })

  test('gives every spelling of an IPv6 address the same text, and that text itself', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const plain = groups.map((word) => word.toString(16))
        const padded = plain.map((word) => word.padStart(4, '0').toUpperCase())
        const canonical = canonicalIp(padded.join(':'))
        expect(canonical).toBe(ipaddr.fromByteArray(groups.flatMap((word) => [word >> 8, word & 255])).toString())
        expect(canonicalIp(plain.join(':'))).toBe(canonical)
        expect(canonicalIp(canonical ?? '')).toBe(canonical)
      }),
      runs,
    )
  })
})

describe('clientPrefix and shortenIp', () => {
  test('an IPv4 address counts whole, in both spellings', () => {
    expect(clientPrefix('192.0.2.1')).toBe('192.0.2.1')
    expect(clientPrefix('::ffff:192.0.2.1')).toBe('192.0.2.1')
  })

  test('IPv6 addresses of one /64 count as one, and those of the next do not', () => {
    expect(clientPrefix('2001:db8:1:2::1')).toBe('2001:db8:1:2::/64')
    expect(clientPrefix('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBe('2001:db8:1:2::/64')
    expect(clientPrefix('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64')
    expect(clientPrefix('2001:db8:1:0:aaaa:bbbb:cccc:dddd')).toBe(clientPrefix('2001:db8:1::5'))
  })

  test('shortens to the IPv4 /24 and the IPv6 /48', () => {
    expect(shortenIp('192.0.2.213')).toBe('192.0.2.0/24')
    expect(shortenIp('::ffff:192.0.2.213')).toBe('192.0.2.0/24')
    expect(shortenIp('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1::/48')
    expect(shortenIp('::1')).toBe('::/48')
  })

  test('what is no address shares the place of the unknown one', () => {
    for (const text of ['', 'unknown', 'fe80::1%eth0', UNKNOWN_IP]) {
      expect(clientPrefix(text)).toBe('0.0.0.0')
      expect(shortenIp(text)).toBe('0.0.0.0/24')
    }
  })
})

const trusting = (...entries: string[]) => createTrustedProxies(entries.map((entry) => parseProxy(entry)!))

describe('createTrustedProxies', () => {
  test.each([
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0', '::a00:1']],
    ['172.17.0.1/16', ['172.17.255.255'], ['172.18.0.0', '172.16.255.255']],
    ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127']],
    ['128.0.0.0/1', ['128.0.0.0', '255.255.255.255'], ['127.255.255.255']],
    ['192.0.2.1', ['192.0.2.1'], ['192.0.2.0', '192.0.2.2']],
    ['192.0.2.1/32', ['192.0.2.1'], ['192.0.2.0']],
    ['::ffff:192.0.2.1', ['192.0.2.1'], ['192.0.2.2']],
    ['::ffff:10.0.0.0/104', ['10.1.2.3'], ['11.0.0.0']],
    ['2001:db8::/32', ['2001:db8::', '2001:db8:ffff::1'], ['2001:db9::', '10.0.0.1']],
    ['2001:db8:0:8::/61', ['2001:db8:0:f::1'], ['2001:db8:0:10::', '2001:db8:0:7::']],
    ['::1', ['::1'], ['::2', '::', '127.0.0.1']],
  ])('%s holds %j and not %j', (entry, inside, outside) => {
    const trusted = trusting(entry)
    expect(inside.filter((ip) => !trusted.has(ip))).toEqual([])
    expect(outside.filter((ip) => trusted.has(ip))).toEqual([])
  })

  test('looks through the whole list, both families', () => {
    const trusted = trusting('10.0.0.0/8', 'fd00::/8', '192.0.2.7')
    expect(['10.9.9.9', 'fd12::1', '192.0.2.7'].every((ip) => trusted.has(ip))).toBe(true)
    expect(['192.0.2.8', 'fe80::1', '8.8.8.8'].some((ip) => trusted.has(ip))).toBe(false)
    expect(trusted.empty).toBe(false)
  })

  test('an empty list trusts nobody', () => {
    const trusted = createTrustedProxies([])
    expect(trusted.empty).toBe(true)
    expect(trusted.has('127.0.0.1') || trusted.has('::1')).toBe(false)
  })

  test('agrees with ipaddr.js on any IPv4 network', () => {
    const ip = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(ip, fc.integer({ min: 0, max: 32 }), fc.integer({ min: 0, max: 31 }), (network, bits, flipped) => {
        const near = network.map((octet, at) => (at === flipped >> 3 ? octet ^ (128 >> (flipped & 7)) : octet))
        const expected = new ipaddr.IPv4(near).match(new ipaddr.IPv4(network), bits)
        const trusted = createTrustedProxies([parseCidr(`${network.join('.')}/${bits}`)!])
        expect(trusted.has(near.join('.'))).toBe(expected)
      }),
      runs,
    )
  })

  test.each([
    ...['', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/8/8', '10/8', 'fe80::1%eth0/64'],
    ...['2001:db8::/129', '::ffff:10.0.0.0/8', 'proxy.internal', '10.0.0.0/8, 192.0.2.1'],
  ])('refuses the entry %j', (entry) => {
    expect(parseCidr(entry)).toBeUndefined()
    expect(parseProxy(entry)).toBeUndefined()
  })

  test.each(['0.0.0.0/0', '::/0', '::ffff:0.0.0.0/96'])('refuses to trust everybody: %s', (entry) => {
    expect(parseCidr(entry)?.bits).toBe(0)
    expect(parseProxy(entry)).toBeUndefined()
  })
})
