import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { normalizeEmail } from '../../src/features/users/email.ts'

const label = (length: number) => 'd'.repeat(length)

describe('accepts', () => {
  for (const address of [
    'a@b.co',
    'user@example.com',
    'user+tag@example.com',
    'first.last@sub.example.co.uk',
    "!#$%&'*+-/=?^_`{|}~@example.com",
    '123@123.com',
    'a@g--a.com',
    'a@1and1.com',
    'a@iana.a',
    'user@xn--exmple-cua.com',
    `${'l'.repeat(64)}@example.com`,
    `a@${label(63)}.com`,
    `a@${label(63)}.${label(63)}.${label(63)}.${label(60)}`,
  ])
    test(address, () => {
      expect(normalizeEmail(address)).toEqual({ email: address, emailKey: address.toLowerCase() })
    })
})

describe('refuses', () => {
  for (const [name, address] of Object.entries({
    nothing: '',
    'no @': 'example.com',
    'no local part': '@example.com',
    'no domain': 'user@',
    'two @': 'user@evil.com@example.com',
    'two @ in a row': 'user@@example.com',
    'fullwidth @': 'user＠example.com',
    'fullwidth @ beside a real one': 'user@evil.com＠example.com',
    'small @': 'user@evil.com﹫example.com',
    'fullwidth @ in the local part': 'user＠evil.com@example.com',
    'quoted local part': '"user"@example.com',
    comment: 'user(comment)@example.com',
    '13.7 an encoded-word': '=?utf-8?q?user?=@example.com',
    '13.7 an encoded-word with a second address': '=?utf-8?q?a=40evil.com=2C?=@example.com',
    '13.7 an encoded-word inside': 'a=?utf-8?b?dXNlcg==?=b@example.com',
    'display name': 'User <user@example.com>',
    'list with a comma': 'a@example.com,b@example.com',
    'list with a semicolon': 'a@example.com;b@example.com',
    'header injection': 'a@example.com\r\nBcc: b@example.com',
    'line feed at the end': 'a@example.com\n',
    NUL: 'a@example.com\0',
    tab: 'a@exa\tmple.com',
    'space in front': ' user@example.com',
    'space behind': 'user@example.com ',
    'no-break space': 'user@example\u00a0.com',
    'dot in front': '.user@example.com',
    'dot behind': 'user.@example.com',
    'two dots': 'us..er@example.com',
    'letter outside ASCII': 'usér@example.com',
    'Kelvin sign': '\u212aate@example.com',
    'long local part': `${'l'.repeat(65)}@example.com`,
    'single label': 'user@localhost',
    'empty label': 'user@example..com',
    'domain dot in front': 'user@.example.com',
    'domain dot behind': 'user@example.com.',
    'ideographic dot behind': 'user@example.com。',
    underscore: 'user@exa_mple.com',
    'hyphen in front': 'user@-example.com',
    'hyphen behind': 'user@example-.com',
    'hyphen before the last dot': 'user@example.com-',
    'IPv4 literal': 'user@[127.0.0.1]',
    'IPv4 address': 'user@127.0.0.1',
    'short IPv4 address': 'user@1.2',
    'hexadecimal IPv4 address': 'user@0x7f.1',
    'hexadecimal last label': 'user@example.0x7f',
    'fullwidth IPv4 address': 'user@１２７.0.0.1',
    'IPv6 literal': 'user@[IPv6:::1]',
    'numeric last label': 'user@iana.123',
    'percent-encoding': 'user@a%2eb.com',
    path: 'user@example.com/x',
    backslash: 'user@example.com\\x.com',
    port: 'user@example.com:25',
    query: 'user@example.com?x.com',
    fragment: 'user@example.com#x.com',
    wildcard: 'user@*.com',
    'letter that normalises to a slash': 'user@a℀.com',
    'two dots in one': 'user@a‥com',
    'soft hyphen': 'user@exam\u00adple.com',
    'zero-width joiner': 'user@exam\u200dple.com',
    'right-to-left override': 'user@exa\u202emple.com',
    'tag character': 'user@a\u{e0001}b.com',
    'lone surrogate': 'user@a\ud800b.com',
    'broken punycode': 'user@xn--a.com',
    'empty punycode': 'user@xn--.com',
    'label of 64': `a@${label(64)}.com`,
    'domain of 254': `a@${label(63)}.${label(63)}.${label(63)}.${label(62)}`,
    'whole of 255': `${'l'.repeat(5)}@${label(63)}.${label(63)}.${label(63)}.${label(57)}`,
    'whole of 255 in A-labels only': `abcdef@${'ä'.repeat(50)}.${label(63)}.${label(63)}.${label(60)}.com`,
  }))
    test(name, () => {
      expect(normalizeEmail(address)).toBeUndefined()
    })
})

test('keeps the local part as typed and writes the domain in lower-case A-labels', () => {
  expect(normalizeEmail('Ada.Lovelace+Shop@EXÄMPLE.Com')).toEqual({
    email: 'Ada.Lovelace+Shop@xn--exmple-cua.com',
    emailKey: 'ada.lovelace+shop@xn--exmple-cua.com',
  })
})

test('gives all spellings of one domain one key, and other domains another', () => {
  const key = (address: string) => normalizeEmail(address)?.emailKey
  for (const same of ['a@exa\u0308mple.com', 'A@EXÄMPLE.COM', 'a@XN--EXMPLE-CUA.COM', 'a@ｅxämple。com'])
    expect(key(same)).toBe('a@xn--exmple-cua.com')
  // Cyrillic а, dotless ı.
  for (const other of ['a@аpple.com', 'a@GıtHub.com']) expect(key(other)).toMatch(/^a@xn--/)
})

test('K11, K13: checks hostile text quickly, and does not change what it accepts', () => {
  for (const hostile of [
    'a'.repeat(30_000),
    `${'a.'.repeat(15_000)}@b.co`,
    `a@${'a-'.repeat(15_000)}`,
    '@'.repeat(30_000),
  ])
    expect(normalizeEmail(hostile)).toBeUndefined()
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.domain(), (text, domain) => {
      for (const address of [`${text}@${domain}`, `a@${text}.com`, `a@${text}${domain}`]) {
        const accepted = normalizeEmail(address)
        if (!accepted) continue
        expect(accepted.email).toMatch(/^[\x21-\x7e]{1,64}@[a-z0-9.-]+$/)
        expect(normalizeEmail(accepted.email)).toEqual(accepted)
      }
    }),
  )
})
