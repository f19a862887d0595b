import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isPattern } from '../../src/features/passwords/patterns.ts'
import { weaknessOf } from '../../src/features/passwords/policy.ts'

const check = (password: string) => weaknessOf(password, { minLength: 8 })?.message

describe('12.A10 a password wholly of repeated, sequential or common parts is refused', () => {
  const refused = {
    'one character': ['111111111111111', 'zzzzzzzzz', '!!!!!!!!!!!', 'ЖЖЖЖЖЖЖЖ', '🦊🦊🦊🦊🦊🦊🦊🦊', ' '.repeat(20)],
    'a short pattern': ['abcabcabcabcabc', 'xyxyxyxyxyxyxyx', 'x y x y x y x y ', '🦊🐙'.repeat(8), 'q7kvq7kvq7kvq7kv'],
    'a run': [
      'abcdefghijklmno',
      'zyxwvutsrqponml',
      '987654321098765',
      'абвгдежзийклмно',
      '1 2 3 4 5 6 7 8 9',
      'aabbccddeeff',
    ],
    'counted numbers': ['123456789101112', '100101102103104', '1234567891011121314'],
    'keyboard rows': [
      '1q2w3e4r5t6y7u8i9o',
      'qwertyuiopasdfghjkl',
      'zxcvbnm,./asdfgh',
      '!@#$%^&*()_+',
      'qazwsxedcrfvtgb',
    ],
    'a common password': [
      'passwordpassword',
      'passwordpasswordpassword',
      'password-password',
      'Password2026',
      'dragon1990',
      'monkey1234567890',
      'iloveyou20252026',
      'letmein111111111',
      '1234567890password',
      'qwertypassword',
    ],
    'several parts': ['abcdefgh11111111', 'aaaabbbbccccdddd', 'qwerty123456789', 'abcabcabc20262026'],
  }
  for (const [kind, passwords] of Object.entries(refused))
    test(`${kind}, in any case`, () => {
      const missed = passwords.filter((password) => !check(password) || !check(password.toUpperCase()))
      expect(missed).toEqual([])
    })

  test('a password with any other part is accepted, whatever its characters are', () => {
    const accepted = [
      'correct horse battery staple',
      'correct horse battery',
      'correcthorsebatterystaple',
      'secure_password',
      'some quiet words',
      'monkey dragon sunshine',
      'my password is long',
      'aaaaaaaaaaaaaaaaqz',
      '123456789 reasons',
      '8305719264',
      'Tq7#vLm2xR',
      'kD93jfXw0aPq',
      'f3c1a9e07b52d846',
      'пароль для входа',
      'лошадь батарея скрепка',
      '正しい馬の電池とホチキス',
      'حصان بطارية مشبك',
      '🦊🐙🦉🐝🦔🐢🦆🐌',
    ]
    expect(accepted.filter((password) => check(password))).toEqual([])
  })

  test('every repeated pattern and every run is refused; a random ending of three characters makes it acceptable', () => {
    const pattern = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom(...'abz059!?жя馬🦊') })
    fc.assert(
      fc.property(pattern, fc.integer({ min: 8, max: 60 }), (unit, times) => {
        expect(check(unit.repeat(times))).toBeString()
        expect(check(`${unit.repeat(times)}~x8`)).toBeUndefined()
      }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 0x430, max: 0x440 }), fc.integer({ min: 8, max: 14 }), (first, length) => {
        const run = Array.from({ length }, (_, index) => String.fromCodePoint(first + index))
        expect(check(run.join(''))).toBeString()
        expect(check(run.reverse().join(''))).toBeString()
      }),
    )
  })

  test('a password of random characters is accepted', () => {
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
    let state = 1
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    }
    const passwords = Array.from({ length: 5000 }, () => base64(Uint8Array.from({ length: 9 }, random)))
    expect(passwords.filter((password) => check(password))).toEqual([])
  })

  test('the work for a hostile text is bounded', () => {
    let questions = 0
    const count = () => {
      questions++
      return false
    }
    for (const text of ['a'.repeat(256), 'ab'.repeat(128), `${'a'.repeat(255)}~`, '12'.repeat(128)])
      isPattern(text, count)
    for (const text of [`${'abcd1234'.repeat(31)}zq~`, `${'qwer'.repeat(63)}~x8`])
      expect(isPattern(text, count)).toBe(false)
    // At most 21 lengths from each of 256 positions, for each text.
    expect(questions).toBeLessThanOrEqual(6 * 256 * 21)
  })
})
