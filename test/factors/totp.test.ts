import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Secret, TOTP, URI } from 'otpauth'
import { codeAt, matchingStep, newSecret, stepAt, totpUri } from '../../src/features/factors/totp.ts'
import { toBase32, utf8 } from '../../src/lib/encoding.ts'
import { seededRandom } from '../support/random.ts'

const rfcSecret = utf8('12345678901234567890')

describe('codes of authenticator apps', () => {
  test('M1: are those of RFC 4226 appendix D', () => {
    const codes = Array.from({ length: 10 }, (_, counter) => codeAt(rfcSecret, counter))
    expect(codes.join(' ')).toBe('755224 287082 359152 969429 338314 254676 287922 162583 399871 520489')
  })

  test('M1: are those of RFC 6238 appendix B, with eight digits and each hash', () => {
    const times = [59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000]
    const keys = { sha1: 20, sha256: 32, sha512: 64 } as const
    const expected = {
      sha1: '94287082 07081804 14050471 89005924 69279037 65353130',
      sha256: '46119246 68084774 67062674 91819424 90698825 77737706',
      sha512: '90693936 25091201 99943326 93441116 38618901 47863826',
    }
    for (const hash of ['sha1', 'sha256', 'sha512'] as const) {
      const key = utf8('1234567890'.repeat(7).slice(0, keys[hash]))
      const codes = times.map((seconds) => codeAt(key, stepAt(seconds * 1000), { hash, digits: 8 }))
      expect(codes.join(' ')).toBe(expected[hash])
    }
  })

  test('M1, M10: are accepted one step early and late, not two, as another implementation counts', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.integer({ min: 120_000, max: 4_000_000_000_000 }),
        fc.integer({ min: -3, max: 3 }),
        (secret, now, offset) => {
          const app = new TOTP({ secret: new Secret({ buffer: secret.buffer as ArrayBuffer }) })
          const code = app.generate({ timestamp: now + offset * 30_000 })
          const near = [-1, 0, 1].filter((step) => codeAt(secret, stepAt(now) + step) === code)
          // Two of a million codes are equal by chance, so the newest of the equal ones is expected.
          expect(matchingStep(secret, code, now)).toBe(near.length ? stepAt(now) + near.at(-1)! : undefined)
          if (Math.abs(offset) <= 1) expect(near).toContain(offset)
        },
      ),
      { numRuns: 300, seed: 16 },
    )
  })

  test('M7: are six ASCII digits and nothing else', () => {
    const now = 1_111_111_109_000
    const code = codeAt(rfcSecret, stepAt(now))
    expect(matchingStep(rfcSecret, code, now)).toBe(stepAt(now))
    const wide = [...code].map((digit) => String.fromCodePoint(digit.codePointAt(0)! + 0xfee0)).join('')
    for (const wrong of [
      wide,
      ` ${code}`,
      `${code}\n`,
      code.slice(1),
      `0${code}`,
      `${code.slice(0, 3)} ${code.slice(3)}`,
    ])
      expect(matchingStep(rfcSecret, wrong, now)).toBeUndefined()
  })
})

describe('the URI of an authenticator app', () => {
  const secret = newSecret(seededRandom('uri'))

  test('names the issuer twice, without plus signs and colons of its own', () => {
    const uri = totpUri({ secret, issuer: 'Ada: & Söhne', account: 'ada+1@example.com' })
    expect(uri).toBe(
      `otpauth://totp/Ada%20%26%20S%C3%B6hne:ada%2B1%40example.com?secret=${toBase32(secret)}&issuer=Ada%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30`,
    )
    const read = URI.parse(uri) as TOTP
    expect([read.issuer, read.label, read.secret.base32, read.algorithm, read.digits, read.period]).toEqual([
      'Ada & Söhne',
      'ada+1@example.com',
      toBase32(secret),
      'SHA1',
      6,
      30,
    ])
  })

  test('stays small enough for a coarse QR code, whatever the names are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (issuer, account) => {
          const uri = totpUri({ secret, issuer, account })
          expect(uri.length).toBeLessThanOrEqual(271)
          expect((URI.parse(uri) as TOTP).secret.base32).toBe(toBase32(secret))
        },
      ),
      { numRuns: 100, seed: 16 },
    )
  })
})
