import { describe, expect, test } from 'bun:test'
import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, exportPKCS8, importJWK, importPKCS8 } from 'jose'
import type { PublicJwk, PublicKeyAlgorithm, SigningKey } from '../../src/features/signing-keys/jwk.ts'
import {
  exportPrivateKey,
  exportPublicJwk,
  generateSigningKey,
  hmacKey,
  importPrivateKey,
  importPublicJwk,
  publicKeyAlgorithms,
  verificationKey,
} from '../../src/features/signing-keys/jwk.ts'
import { signBytes, verifyBytes } from '../../src/features/tokens/jws.ts'
import { utf8 } from '../../src/lib/encoding.ts'
import { rfc7515A2, rfc7515A3, rfc7638, rfc8037A } from '../tokens/rfc-vectors.ts'

const message = utf8('some bytes')
const keys = publicKeyAlgorithms.map((alg) => generateSigningKey(alg))
const der = (jwk: object) =>
  createPrivateKey({ key: { ...jwk }, format: 'jwk' }).export({ format: 'der', type: 'pkcs8' })

describe('thumbprints', () => {
  test('RFC 7638 section 3.1', () => {
    const jwk: PublicJwk = { ...rfc7638.jwk, kid: rfc7638.thumbprint, alg: 'RS256', use: 'sig' }
    expect(importPublicJwk(jwk).kid).toBe(rfc7638.thumbprint)
  })

  test('RFC 8037 A.3', () => {
    expect(importPrivateKey('EdDSA', der(rfc8037A.jwk)).kid).toBe(rfc8037A.thumbprint)
  })
})

describe.each(keys)('$alg', (key) => {
  const alg = key.alg as PublicKeyAlgorithm

  test('has the kid that jose computes as the thumbprint', async () => {
    expect(key.kid).toBe(await calculateJwkThumbprint({ ...exportPublicJwk(key) }, 'sha256'))
  })

  test('generates different keys', () => {
    expect(generateSigningKey(alg).kid).not.toBe(key.kid)
  })

  test('restores the private key from its bytes, with its kid', () => {
    const again = importPrivateKey(alg, exportPrivateKey(key))
    expect(again.kid).toBe(key.kid)
    expect(again.alg).toBe(alg)
    expect(verifyBytes(verificationKey(key), message, signBytes(again, message))).toBe(true)
  })

  test('writes the PKCS #8 bytes that jose reads and writes', async () => {
    const pem = (bytes: Uint8Array) =>
      `-----BEGIN PRIVATE KEY-----\n${Buffer.from(bytes).toString('base64')}\n-----END PRIVATE KEY-----`
    const read = await importPKCS8(pem(exportPrivateKey(key)), alg, { extractable: true })
    const written = createPrivateKey(await exportPKCS8(read)).export({ format: 'der', type: 'pkcs8' })
    expect(importPrivateKey(alg, written).kid).toBe(key.kid)
  })

  test('restores the public JWK, also through JSON, and jose reads it', async () => {
    const jwk: PublicJwk = JSON.parse(JSON.stringify(exportPublicJwk(key)))
    const again = importPublicJwk(jwk)
    expect(again.key.type).toBe('public')
    expect({ alg: again.alg, kid: again.kid }).toEqual({ alg, kid: key.kid })
    expect(verifyBytes(again, message, signBytes(key, message))).toBe(true)
    expect(exportPublicJwk(again)).toEqual(jwk)
    expect(await importJWK({ ...jwk })).toMatchObject({ type: 'public' })
  })

  test('E15: has only public members, kid, alg and use in the public JWK', () => {
    const expected = { ES256: ['crv', 'kty', 'x', 'y'], EdDSA: ['crv', 'kty', 'x'], RS256: ['e', 'kty', 'n'] }[alg]
    for (const jwk of [exportPublicJwk(key), exportPublicJwk(verificationKey(key))]) {
      expect(Object.keys(jwk).sort()).toEqual(['alg', 'kid', 'use', ...expected].sort())
      expect(jwk).toMatchObject({ alg, use: 'sig', kid: key.kid })
    }
  })

  test('cannot sign with the verification key', () => {
    expect(verificationKey(key)).toMatchObject({ key: { type: 'public' } })
    expect(() => signBytes(verificationKey(key), message)).toThrow()
  })

  test('refuses a JWK with another kid or alg, or with a missing or broken member', () => {
    const jwk = exportPublicJwk(key)
    const others = publicKeyAlgorithms.filter((other) => other !== alg)
    const wrong: object[] = [{ kid: 'another' }, { kid: '' }, { kid: undefined }, { kty: 'oct' }, { kty: undefined }]
    wrong.push(
      { alg: 'HS256' },
      { alg: 'none' },
      { alg: undefined },
      { alg: '__proto__' },
      ...others.map((other) => ({ alg: other })),
    )
    for (const name of ['crv', 'x', 'y', 'n', 'e'].filter((name) => name in jwk))
      for (const value of [undefined, '', 'AAAA', 7, null]) wrong.push({ [name]: value })
    for (const change of wrong)
      expect(() => importPublicJwk({ ...jwk, ...change } as PublicJwk), JSON.stringify(change)).toThrow(TypeError)
  })

  test('ignores a private member in a JWK', () => {
    const withPrivate = { ...key.key.export({ format: 'jwk' }), ...exportPublicJwk(key) }
    expect(withPrivate).toHaveProperty('d')
    const read = importPublicJwk(withPrivate)
    expect(read.key.type).toBe('public')
    expect(exportPublicJwk(read)).not.toHaveProperty('d')
  })

  test('refuses bytes of a key for another algorithm, or of none', () => {
    const bytes = exportPrivateKey(key)
    for (const other of publicKeyAlgorithms.filter((other) => other !== alg))
      expect(() => importPrivateKey(other, bytes)).toThrow(TypeError)
    for (const broken of [new Uint8Array(), utf8('no key'), bytes.subarray(0, -1), new Uint8Array(bytes.length)])
      expect(() => importPrivateKey(alg, broken)).toThrow(TypeError)
    const spki = createPublicKey(key.key).export({ format: 'der', type: 'spki' })
    expect(() => importPrivateKey(alg, spki)).toThrow(TypeError)
  })
})

test('known private keys are read', () => {
  expect(importPrivateKey('RS256', der(rfc7515A2.jwk)).alg).toBe('RS256')
  expect(importPrivateKey('ES256', der(rfc7515A3.jwk)).alg).toBe('ES256')
})

test('keys of another curve or with a short modulus are refused', () => {
  const options = {
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    publicKeyEncoding: { format: 'der', type: 'spki' },
  } as const
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384', ...options })
  const short = generateKeyPairSync('rsa', { modulusLength: 1024, ...options })
  const x25519 = generateKeyPairSync('x25519', options)
  expect(() => importPrivateKey('ES256', p384.privateKey)).toThrow('does not fit ES256')
  expect(() => importPrivateKey('RS256', short.privateKey)).toThrow('does not fit RS256')
  expect(() => importPrivateKey('EdDSA', x25519.privateKey)).toThrow('does not fit EdDSA')
})

describe('HS256', () => {
  const secret = 'a secret of forty bytes for the tests 00'
  const key = hmacKey(secret)

  test('signs and verifies with one key, in UTF-8', () => {
    expect(verifyBytes(verificationKey(key), message, signBytes(key, message))).toBe(true)
    const mac = createHmac('sha256', Buffer.from('ü'.repeat(16)))
      .update(message)
      .digest('hex')
    expect(Buffer.from(signBytes(hmacKey('ü'.repeat(16)), message)).toString('hex')).toBe(mac)
  })

  test('has a kid that differs between secrets and is not the thumbprint of the secret', async () => {
    expect(hmacKey(secret).kid).toBe(key.kid)
    expect(hmacKey(`${secret}!`).kid).not.toBe(key.kid)
    expect(key.kid).not.toBe(await calculateJwkThumbprint({ kty: 'oct', k: Buffer.from(secret).toString('base64url') }))
  })

  test('refuses less than 32 bytes (RFC 7518 section 3.2)', () => {
    expect(hmacKey('x'.repeat(32)).alg).toBe('HS256')
    for (const short of ['', 'secret', 'x'.repeat(31)]) expect(() => hmacKey(short)).toThrow(RangeError)
  })

  test('has no public part and is never exported', () => {
    expect(() => exportPublicJwk(key)).toThrow(TypeError)
    expect(() => exportPrivateKey(key)).toThrow(TypeError)
    const disguised = { ...key, alg: 'ES256' } as unknown as SigningKey
    expect(() => exportPublicJwk(disguised)).toThrow()
    expect(`${JSON.stringify(key)}${Bun.inspect(key)}`).not.toContain(secret)
  })
})
