import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { isKnownSecret } from '../../src/config/known-secrets.ts'
import { seededRandom } from '../support/random.ts'

describe('examples and patterns', () => {
  test.each([
    'your-secure-secret-key',
    '932a9a8a39cba70f83e0f0b095b6892a31b5923e28383fa6920c20ec970419cb',
    '932A9A8A39CBA70F83E0F0B095B6892A31B5923E28383FA6920C20EC970419CB',
    ' 932a9a8a39cba70f83e0f0b095b6892a31b5923e28383fa6920c20ec970419cb\n',
    '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
    'changeme',
    'changethis',
    'CHANGE_ME_CHANGE_ME_CHANGE_ME_42',
    'please-change-this-value-9f8e7d6c5b4a39281706f5e4d3c2b1a0',
    'django-insecure-9f8e7d6c5b4a39281706f5e4d3c2b1a0x',
    'your-256-bit-secret',
    'a-string-secret-at-least-256-bits-long',
    'super-secret-jwt-token-with-at-least-32-characters-long',
    'your-super-secret-key-for-production-use-only',
    'my_super_secret_development_signing_key',
    'openssl rand -hex 32 (run this)....',
    '<paste the output of a generator>',
    '00000000000000000000000000000000',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '0123456789abcdef0123456789abcdef',
    '12345678901234567890123456789012',
    'deadbeefdeadbeefdeadbeefdeadbeef',
    'abcdefghijklmnopqrstuvwxyz123456',
    'zyxwvutsrqponmlkjihgfedcba987654',
  ])('%j is one', (secret) => {
    expect(isKnownSecret(secret)).toBe(true)
  })
})

describe('random text', () => {
  test('is never taken for one, in any usual spelling', () => {
    const random = seededRandom('known secrets')
    for (let round = 0; round < 2_000; round++) {
      const bytes = Buffer.from(random.bytes(32))
      expect(isKnownSecret(bytes.toString('hex'))).toBe(false)
      expect(isKnownSecret(bytes.toString('base64'))).toBe(false)
      expect(isKnownSecret(bytes.subarray(0, 24).toString('base64url'))).toBe(false)
      expect(isKnownSecret(bytes.subarray(0, 16).toString('hex'))).toBe(false)
    }
  })

  test('with a name in front is still random', () => {
    const digest = createHash('sha256').update('x').digest('hex')
    expect(isKnownSecret(`keyward-production-secret-${digest}`)).toBe(false)
  })

  test('of words is fine when they are not the usual ones', () => {
    expect(isKnownSecret('walrus quartz penguin mimosa umbrella')).toBe(false)
  })
})
