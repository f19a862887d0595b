import { describe, expect, test } from 'bun:test'
import { dictionary } from '@zxcvbn-ts/language-common'
import fc from 'fast-check'
import { normalizePassword, weaknessOf } from '../../src/features/passwords/policy.ts'

const check = (password: string, context = {}) => weaknessOf(password, { minLength: 8, ...context })?.message

describe('length', () => {
  test('A3, A8: counts code points after NFC', () => {
    expect(check('zq7 kv')).toContain('at least 8')
    expect(check('')).toContain('at least 8')
    expect(check('🦊🐙🦉🐝🦔🐢🦆🐌')).toBeUndefined()
    expect(check('🦊🐙🦉🐝🦔🐢🦆')).toContain('at least 8')
    // Twelve code points as typed, seven in NFC.
    expect(check('e\u0301a\u0301o\u0301u\u0301i\u0301xy')).toContain('at least 8')
    expect(check(`${'x y '.repeat(63)}qz k`)).toBeUndefined()
    expect(check(`${'x y '.repeat(64)}z`)).toContain('at most 256')
    expect(check(`${'🦊🐙'.repeat(127)}qz`)).toBeUndefined()
    expect(check(`${'o\u0302\u0301'.repeat(254)}qz`)).toBeUndefined()
    expect(check('ab'.repeat(500_000))).toContain('at most 256')
  })

  test('follows the configured minimum', () => {
    expect(check('fourteen marks', { minLength: 15 })).toContain('at least 15')
    expect(check('fifteen letters', { minLength: 15 })).toBeUndefined()
  })

  test('B8, K13: is checked before anything that is slow for hostile text', () => {
    // NFC sorts these marks one by one, which takes seconds for 32,000 of them.
    const hostile = `a${'\u0301'.repeat(500_000)}${'\u0316'.repeat(500_000)}`
    expect(check(hostile)).toContain('at most 256')
    expect(normalizePassword(hostile)).toBeUndefined()
  })
})

test('A4: has no composition rules', () => {
  for (const password of [
    'aaaaaaaaaaaaaaaaqz',
    '8305719264',
    'some quiet words',
    '\tzq kv jx\t',
    'пароль для входа',
    '--------?',
  ])
    expect(check(password, { username: '-.-', email: '-@example.com' })).toBeUndefined()
})

test('refuses what is not text or what bcrypt would confuse', () => {
  for (const password of ['some\0password', '\ud800some password', 'some password\udfff'])
    expect(check(password)).toContain('valid Unicode')
})

describe('common passwords', () => {
  test('A5: every listed password of eight characters is refused, in any case', () => {
    const listed = dictionary['passwords-common'].filter((password) => password.length >= 8)
    expect(listed.length).toBeGreaterThan(10_000)
    const missed = listed.filter((password) => !check(password) || !check(password.toUpperCase()))
    expect(missed).toEqual([])
  })

  test('are refused in fullwidth letters too', () => {
    for (const password of ['password', 'PassWord1', '12345678', 'QWERTYUIOP', 'iloveyou', 'ｐａｓｓｗｏｒｄ'])
      expect(check(password)).toContain('most common')
  })

  test('may be a part of a password: two of them, one with more, neighbours in the list', () => {
    for (const password of ['password\nmonkey1', 'passwordpasswordpaws', 'passwor? d1', '\n? password', '~~~~~~~~~zz'])
      expect(check(password)).toBeUndefined()
    const listed = new Set(dictionary['passwords-common'])
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 12 }), (password) => {
        fc.pre(!listed.has(password.toLowerCase()) && !password.includes('\0'))
        expect(check(password)).toBeUndefined()
      }),
    )
  })
})

describe('the user’s name and address', () => {
  const context = { email: 'Ada.Lovelace+shop@Example.com', username: 'countess_ada' }

  test('A6: are refused as a password in any case and with any punctuation', () => {
    for (const password of [
      'countess_ada',
      'COUNTESS_ADA',
      'Countess Ada!',
      'Ada.Lovelace+shop@Example.com',
      'ada.lovelace+SHOP@example.com',
      'ada.lovelace',
      'AdaLovelace',
      'ada.lovelace+shop',
    ])
      expect(check(password, context)).toContain('your username or email')
  })

  test('may be part of a longer password', () => {
    for (const password of ['countess_ada of london', 'my ada.lovelace', 'example.com', 'countess of ada'])
      expect(check(password, context)).toBeUndefined()
  })

  test('the name of the service is refused too', () => {
    for (const password of ['keyward1', 'Keyward2026!', 'KEYWARDkeyward', 'key-ward-123', '123keyward'])
      expect(check(password, context)).toContain('name of this service')
    expect(check('keyward is a service', context)).toBeUndefined()
  })
})

test('an error message never contains the password', () => {
  for (const password of ['kurz', 'dragonfly', 'countess', 'zz\0zzzzzz', 'k'.repeat(300)]) {
    const sentence = check(password, { username: 'countess' })
    expect(sentence).toBeString()
    expect(sentence).not.toContain(password)
  }
})

test('normalises to NFC and changes nothing else', () => {
  expect(normalizePassword(' Cafe\u0301\u00a0ﬁn\t')).toBe(' Café\u00a0ﬁn\t')
})
