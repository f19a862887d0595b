import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { creationOptions, requestOptions } from '../../../src/features/factors/webauthn/options.ts'
import { createSealedChallenges } from '../../../src/features/factors/webauthn/sealed-challenge.ts'
import { MINUTE } from '../../../src/lib/clock.ts'
import { isRandomId } from '../../../src/lib/random.ts'
import { seededRandom } from '../../support/random.ts'

const handle = 'aGFuZGxl'
const known = [{ credentialId: 'Y3JlZA', transports: ['usb', 'nfc'] }]

describe('the options', () => {
  const options = (kind: 'passkey' | 'security_key') =>
    creationOptions({
      kind,
      rpId: 'auth.example',
      rpName: 'Keyward',
      user: { handle, name: 'ada@example.com', displayName: 'Ada' },
      exclude: known,
      challenge: 'Y2hhbGxlbmdl',
    })

  test('of a passkey ask for a resident key and user verification', () => {
    expect(options('passkey')).toEqual({
      rp: { id: 'auth.example', name: 'Keyward' },
      user: { id: handle, name: 'ada@example.com', displayName: 'Ada' },
      challenge: 'Y2hhbGxlbmdl',
      pubKeyCredParams: [
        { type: 'public-key', alg: -8 },
        { type: 'public-key', alg: -7 },
        { type: 'public-key', alg: -257 },
      ],
      timeout: 300_000,
      excludeCredentials: [{ type: 'public-key', id: 'Y3JlZA', transports: ['usb', 'nfc'] }],
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
      extensions: { credProps: true },
    })
  })

  test('of a security key discourage both', () => {
    expect(options('security_key')).toMatchObject({
      authenticatorSelection: {
        residentKey: 'discouraged',
        requireResidentKey: false,
        userVerification: 'discouraged',
      },
      hints: ['security-key'],
    })
  })

  test('of an authentication name credentials only when they are given', () => {
    const common = { rpId: 'auth.example', challenge: 'Y2hhbGxlbmdl', userVerification: 'required' } as const
    expect(requestOptions(common)).toEqual({ ...common, timeout: 300_000, allowCredentials: [] })
    expect(requestOptions({ ...common, allow: known }).allowCredentials).toEqual([
      { type: 'public-key', id: 'Y3JlZA', transports: ['usb', 'nfc'] },
    ])
  })
})

describe('N2: a sealed challenge', () => {
  const now = Date.UTC(2026, 0, 1)
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const
  const sealed = (macKeys: readonly [Uint8Array, ...Uint8Array[]] = keys, seed = 'a') =>
    createSealedChallenges({ macKeys: () => macKeys, random: seededRandom(seed) })

  test('is opened for five minutes, and shows a nonce of its own', () => {
    const challenges = sealed()
    const [one, other] = [challenges.seal(now), challenges.seal(now)]
    expect(Buffer.from(one, 'base64url').length).toBe(56)
    const opened = challenges.open(one, now)
    expect(opened?.expiresAt).toBe(now + 5 * MINUTE)
    expect(isRandomId(opened!.nonce)).toBe(true)
    expect(challenges.open(other, now)?.nonce).not.toBe(opened!.nonce)
    expect(challenges.open(one, now + 5 * MINUTE)).toEqual(opened)
    expect(challenges.open(one, now + 5 * MINUTE + 1)).toBeUndefined()
  })

  test('is opened with a former key, and not with a foreign one', () => {
    const challenge = sealed([keys[1]]).seal(now)
    expect(sealed().open(challenge, now)).toBeDefined()
    expect(sealed([keys[0]]).open(challenge, now)).toBeUndefined()
  })

  test('is refused with any bit changed, cut, longer, in another spelling, or made up', () => {
    const challenges = sealed()
    const challenge = challenges.seal(now)
    const bytes = Buffer.from(challenge, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(challenges.open(changed.toString('base64url'), now)).toBeUndefined()
    }
    for (const text of ['', challenge.slice(0, -1), `${challenge}A`, `${challenge}=`, ` ${challenge.slice(1)}`])
      expect(challenges.open(text, now)).toBeUndefined()
    // 56 bytes end in 4 stray bits of the last letter.
    expect(challenges.open(`${challenge.slice(0, -1)}${challenge.endsWith('A') ? 'B' : 'A'}`, now)).toBeUndefined()
    fc.assert(fc.property(fc.string(), (text) => expect(challenges.open(text, now)).toBeUndefined()))
  })
})
