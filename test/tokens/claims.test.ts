import { describe, expect, test } from 'bun:test'
import { hmacKey, verificationKey } from '../../src/features/signing-keys/jwk.ts'
import { checkClaims } from '../../src/features/tokens/claims.ts'
import { signBytes, verify } from '../../src/features/tokens/jws.ts'
import { toBase64Url, utf8 } from '../../src/lib/encoding.ts'

const now = Date.UTC(2026, 0, 1)
const seconds = now / 1000
const rules = { issuer: 'https://id.example', audience: 'https://api.example', now }
const good = { iss: rules.issuer, aud: rules.audience, exp: seconds + 1800, iat: seconds, sub: '42' }

const holds = (changed: Record<string, unknown>, other: Partial<Parameters<typeof checkClaims>[1]> = {}) =>
  checkClaims({ ...good, ...changed }, { ...rules, ...other }) !== undefined

const infinite = Number.POSITIVE_INFINITY
const noTimes = [
  '2000000000',
  '1e10',
  '',
  null,
  true,
  [seconds + 60],
  { exp: 1 },
  Number.NaN,
  -1,
  -infinite,
  infinite,
  1e300,
]
const milliseconds = (seconds + 1800) * 1000

test('valid claims give their times', () => {
  expect(checkClaims(good, rules)).toEqual({ exp: seconds + 1800, nbf: undefined, iat: seconds })
  expect(checkClaims({ ...good, nbf: seconds - 5 }, rules)).toEqual({
    exp: seconds + 1800,
    nbf: seconds - 5,
    iat: seconds,
  })
})

describe('exp', () => {
  test('is required and a number within the calendar', () => {
    for (const exp of [undefined, ...noTimes, milliseconds]) expect([exp, holds({ exp })]).toEqual([exp, false])
  })

  test('the token is expired from that second on', () => {
    expect(holds({ exp: seconds + 1 })).toBe(true)
    expect(holds({ exp: seconds })).toBe(false)
    expect(holds({ exp: seconds }, { now: now - 1 })).toBe(true)
    expect(holds({ exp: seconds - 1 })).toBe(false)
    expect(holds({ exp: 0 })).toBe(false)
  })

  test('fractions of a second count (RFC 7519 section 2)', () => {
    expect(holds({ exp: seconds + 0.5 })).toBe(true)
    expect(holds({ exp: seconds + 0.5 }, { now: now + 500 })).toBe(false)
  })

  test('E4: 1e400 is refused although JSON reads it as infinity', () => {
    const key = hmacKey('a secret of forty bytes for the tests 00')
    const payload = JSON.stringify(good).replace(`"exp":${good.exp}`, '"exp":1e400')
    const input = `${toBase64Url(utf8('{"alg":"HS256"}'))}.${toBase64Url(utf8(payload))}`
    const token = `${input}.${toBase64Url(signBytes(key, utf8(input)))}`
    const verified = verify(token, () => verificationKey(key), { typ: undefined })
    expect(verified?.payload.exp).toBe(Number.POSITIVE_INFINITY)
    expect(checkClaims(verified?.payload ?? {}, rules)).toBeUndefined()
  })
})

describe('nbf and iat', () => {
  test('neither is required; if present it is a number within the calendar', () => {
    expect(holds({ nbf: undefined, iat: undefined })).toBe(true)
    for (const bad of [...noTimes, milliseconds]) {
      expect([bad, holds({ nbf: bad })]).toEqual([bad, false])
      expect([bad, holds({ iat: bad })]).toEqual([bad, false])
    }
  })

  test('a token is not accepted before nbf', () => {
    expect(holds({ nbf: seconds })).toBe(true)
    expect(holds({ nbf: seconds + 1 })).toBe(false)
    expect(holds({ nbf: seconds + 1 }, { now: now + 1000 })).toBe(true)
  })

  test('iat may be a minute in the future, for replicas with another clock, and no more', () => {
    expect(holds({ iat: seconds + 60 })).toBe(true)
    expect(holds({ iat: seconds + 61 })).toBe(false)
    expect(holds({ iat: 0 })).toBe(true)
  })
})

describe('leeway', () => {
  test('shifts exp and nbf by that much', () => {
    expect(holds({ exp: seconds - 29 }, { leewaySeconds: 30 })).toBe(true)
    expect(holds({ exp: seconds - 30 }, { leewaySeconds: 30 })).toBe(false)
    expect(holds({ nbf: seconds + 30 }, { leewaySeconds: 30 })).toBe(true)
    expect(holds({ nbf: seconds + 31 }, { leewaySeconds: 30 })).toBe(false)
  })

  test('of more than a minute is a programming error', () => {
    expect(holds({}, { leewaySeconds: 60 })).toBe(true)
    for (const leewaySeconds of [61, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => holds({}, { leewaySeconds })).toThrow(RangeError)
  })
})

describe('iss and aud', () => {
  test('the issuer is compared exactly', () => {
    for (const iss of [
      undefined,
      null,
      '',
      'https://id.example/',
      'https://ID.example',
      'https://id.example.evil',
      [rules.issuer],
    ])
      expect([iss, holds({ iss })]).toEqual([iss, false])
  })

  test('the audience is the expected text, or a list that contains it', () => {
    for (const aud of [rules.audience, [rules.audience], ['https://other.example', rules.audience]])
      expect(holds({ aud })).toBe(true)
    for (const aud of [undefined, null, '', 'https://api.example/', [], ['https://other.example'], [[rules.audience]]])
      expect([aud, holds({ aud })]).toEqual([aud, false])
    for (const aud of [[rules.audience, 1], [rules.audience, null], { 0: rules.audience }, `${rules.audience} x`])
      expect([aud, holds({ aud })]).toEqual([aud, false])
  })

  test('no audience may be present if none is expected', () => {
    expect(holds({ aud: undefined }, { audience: undefined })).toBe(true)
    for (const aud of [rules.audience, [], null, ''])
      expect([aud, holds({ aud }, { audience: undefined })]).toEqual([aud, false])
  })
})

test('a clock that gives no number refuses every token', () => {
  expect(holds({}, { now: Number.NaN })).toBe(false)
})
