import type { JsonWebKeyInput, KeyObject } from 'node:crypto'
import { toBase64Url } from '../../../lib/encoding.ts'
import { nodeCrypto } from '../../../lib/node-crypto.ts'
import { type CborMap, readCborMap } from './cbor.ts'
import { WebauthnFailure } from './failure.ts'

/** A COSE algorithm identifier: its number in the IANA registry "COSE Algorithms". */
export type CoseAlgorithm = number

/** EdDSA with Ed25519, ES256 and RS256, in the order in which Keyward prefers and offers them. */
export const offeredAlgorithms: readonly CoseAlgorithm[] = [-8, -7, -257]

/** A public key of a credential, ready to check signatures. */
export interface CredentialKey {
  alg: CoseAlgorithm
  key: KeyObject
}

type Jwk = JsonWebKeyInput['key']

interface Curve {
  kty: number
  crv: number
  /** The name of the curve in a JWK. */
  name: string
  /** The length of a coordinate in bytes. */
  size: number
  hash: string | null
}

// The key types and curves of RFC 9053 section 7. WebAuthn section 5.8.5 binds each algorithm to one curve.
const OKP = 1
const EC2 = 2
const RSA = 3
const curves: Readonly<Record<CoseAlgorithm, Curve>> = {
  [-8]: { kty: OKP, crv: 6, name: 'Ed25519', size: 32, hash: null },
  [-7]: { kty: EC2, crv: 1, name: 'P-256', size: 32, hash: 'sha256' },
  [-35]: { kty: EC2, crv: 2, name: 'P-384', size: 48, hash: 'sha384' },
  [-36]: { kty: EC2, crv: 3, name: 'P-521', size: 66, hash: 'sha512' },
}
const RS256 = -257

// The labels of COSE key parameters: RFC 9052 section 7.1, RFC 9053 section 7, RFC 8230 section 4
const KTY = 1
const ALG = 3
const CRV = -1
const X = -2
const Y = -3
const N = -1
const E = -2

/**
 * Reads the COSE key of a credential. The key has exactly the members of its type (WebAuthn section 6.5.1.1), a point
 * is on its curve, and an RSA key has 2048 to 4096 bits and a public exponent between 2^16 and 2^32 (FIPS 186-4).
 * @param algorithms the algorithms that were offered
 * @throws WebauthnFailure `algorithm` for another algorithm, `public_key` for a key that is not well-formed
 */
export function importCoseKey(cose: Uint8Array, algorithms = offeredAlgorithms): CredentialKey {
  const members = readMembers(cose)
  const alg = members.get(ALG)
  if (typeof alg !== 'number') throw new WebauthnFailure('public_key')
  if (!algorithms.includes(alg)) throw new WebauthnFailure('algorithm')
  const curve = curves[alg]
  if (curve) return { alg, key: importJwk(curveJwk(members, curve)) }
  if (alg === RS256) return { alg, key: importRsa(members) }
  throw new WebauthnFailure('algorithm')
}

/** Returns true when `signature` is a valid signature of `data` by the credential. It never throws. */
export function isSignedBy({ alg, key }: CredentialKey, data: Uint8Array, signature: Uint8Array): boolean {
  const curve = curves[alg]
  try {
    return nodeCrypto().verify(curve ? curve.hash : 'sha256', data, key, signature)
  } catch {
    return false // `verify` throws when it cannot read the signature
  }
}

function readMembers(cose: Uint8Array): CborMap {
  try {
    return readCborMap(cose)
  } catch {
    throw new WebauthnFailure('public_key')
  }
}

function curveJwk(members: CborMap, { kty, crv, name, size }: Curve): Jwk {
  const hasY = kty === EC2
  if (members.size !== (hasY ? 5 : 4) || members.get(KTY) !== kty || members.get(CRV) !== crv)
    throw new WebauthnFailure('public_key')
  const x = toBase64Url(bytesOf(members, X, size))
  return hasY ? { kty: 'EC', crv: name, x, y: toBase64Url(bytesOf(members, Y, size)) } : { kty: 'OKP', crv: name, x }
}

function importRsa(members: CborMap): KeyObject {
  if (members.size !== 4 || members.get(KTY) !== RSA) throw new WebauthnFailure('public_key')
  const modulus = bytesOf(members, N)
  const exponent = bytesOf(members, E)
  const bits = modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24)
  const isModulus = bits >= 2048 && bits <= 4096 && modulus[0] !== 0 && modulus.at(-1)! % 2 === 1
  const isExponent = (exponent.length === 3 || exponent.length === 4) && exponent[0] !== 0 && exponent.at(-1)! % 2 === 1
  if (!isModulus || !isExponent) throw new WebauthnFailure('public_key')
  return importJwk({ kty: 'RSA', n: toBase64Url(modulus), e: toBase64Url(exponent) })
}

function bytesOf(members: CborMap, label: number, size?: number): Uint8Array {
  const value = members.get(label)
  if (!(value instanceof Uint8Array) || (size !== undefined && value.length !== size))
    throw new WebauthnFailure('public_key')
  return value
}

function importJwk(jwk: Jwk): KeyObject {
  try {
    return nodeCrypto().createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    throw new WebauthnFailure('public_key')
  }
}
