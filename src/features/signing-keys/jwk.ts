import type { KeyObject } from 'node:crypto'
import { toBase64Url, utf8 } from '../../lib/encoding.ts'
import { hmacSha256, sha256 } from '../../lib/hash.ts'
import { nodeCrypto } from '../../lib/node-crypto.ts'
import { secretId } from '../../lib/seal.ts'

/** The algorithms whose keys have a private and a public part (RFC 7518 section 3.1, RFC 8037 section 3.1). */
export const publicKeyAlgorithms = ['ES256', 'EdDSA', 'RS256'] as const
export type PublicKeyAlgorithm = (typeof publicKeyAlgorithms)[number]

/** An algorithm with which Keyward signs and verifies. `EdDSA` means Ed25519. */
export type SignatureAlgorithm = PublicKeyAlgorithm | 'HS256'

/** The private or the public key of a pair. The key is used with its `alg` only (RFC 8725 section 3.1). */
interface AsymmetricKey {
  readonly alg: PublicKeyAlgorithm
  readonly kid: string
  readonly key: KeyObject
}

/** The key of HS256. Its secret is hidden in `mac`, so the secret cannot be logged or used with another algorithm. */
export interface HmacKey {
  readonly alg: 'HS256'
  readonly kid: string
  /** HMAC-SHA-256 of `data`, 32 bytes. */
  readonly mac: (data: Uint8Array) => Uint8Array
}

/** A key that makes signatures: a private key, or the key of HS256. */
export type SigningKey = AsymmetricKey | HmacKey

/** A key that checks signatures: a public key, or the key of HS256. */
export type VerificationKey = AsymmetricKey | HmacKey

/** A public key in the JWKS (RFC 7517 section 4), which never has a private member. */
export interface PublicJwk {
  readonly kty: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
  readonly kid: string
  readonly alg: PublicKeyAlgorithm
  readonly use: 'sig'
}

/** The members of a public JWK that its thumbprint hashes, in alphabetical order as RFC 7638 section 3 requires. */
const members = {
  ES256: ['crv', 'kty', 'x', 'y'],
  EdDSA: ['crv', 'kty', 'x'],
  RS256: ['e', 'kty', 'n'],
} as const satisfies Record<PublicKeyAlgorithm, readonly (keyof PublicJwk)[]>

const generate = {
  ES256: () => nodeCrypto().generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => nodeCrypto().generateKeyPairSync('ed25519'),
  RS256: () => nodeCrypto().generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const satisfies Record<PublicKeyAlgorithm, () => { privateKey: KeyObject }>

/**
 * Generates a private key, whose `kid` is its thumbprint. For RS256 this blocks the event loop for tens to hundreds of
 * milliseconds, so do not call this function in a request.
 */
export const generateSigningKey = (alg: PublicKeyAlgorithm): AsymmetricKey =>
  signingKey(alg, generate[alg]().privateKey)

/**
 * Makes the key of HS256, which signs and verifies. Its `kid` is the id of the secret (`secretId`), 48 bits of a hash.
 * The `kid` is not the thumbprint, because RFC 7638 section 7 warns against the thumbprint of a secret.
 * @throws RangeError when the secret has fewer than the 32 bytes that RFC 7518 section 3.2 requires
 */
export function hmacKey(secret: string): HmacKey {
  const bytes = utf8(secret)
  if (bytes.byteLength < 32) throw new RangeError('the secret of HS256 must have at least 32 bytes')
  return { alg: 'HS256', kid: secretId(secret), mac: (data) => hmacSha256(bytes, data) }
}

/** The key that checks the signatures of `key`. */
export const verificationKey = (key: SigningKey): VerificationKey =>
  key.alg === 'HS256' ? key : { alg: key.alg, kid: key.kid, key: nodeCrypto().createPublicKey(key.key) }

/**
 * The private key as PKCS #8 DER (RFC 5958). These bytes are plaintext: seal them before you store them.
 * @throws TypeError for HS256, whose secret comes from the configuration and is never stored
 */
export function exportPrivateKey(key: SigningKey): Uint8Array {
  if (key.alg === 'HS256') throw new TypeError('the secret of HS256 is not exported')
  return key.key.export({ format: 'der', type: 'pkcs8' })
}

/**
 * Reads the bytes that `exportPrivateKey` returned. The `kid` is computed from the key.
 * @throws TypeError when the bytes are not a private key, or the key does not fit `alg`
 */
export function importPrivateKey(alg: PublicKeyAlgorithm, der: Uint8Array): AsymmetricKey {
  return signingKey(
    alg,
    parseKey(() => nodeCrypto().createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })),
  )
}

/**
 * The public key for the JWKS, with `kid`, `alg` and `use`.
 * @throws TypeError for HS256. The key of HS256 must stay secret, because everyone who knows the key can sign
 */
export function exportPublicJwk(key: SigningKey | VerificationKey): PublicJwk {
  if (key.alg === 'HS256') throw new TypeError('HS256 has no public key')
  const { alg, kid } = key
  return { ...publicMembers(alg, key.key), kid, alg, use: 'sig' }
}

/**
 * Reads a public key that `exportPublicJwk` returned. Unknown members are ignored.
 * @throws TypeError when the members are not a public key, `alg` is unknown, the key does not fit `alg`, or `kid` is
 *   not the thumbprint of the key
 */
export function importPublicJwk(jwk: PublicJwk): AsymmetricKey {
  const { alg, kid } = jwk
  if (!publicKeyAlgorithms.includes(alg)) throw new TypeError('the JWK has no alg that Keyward verifies')
  const material = Object.fromEntries(members[alg].map((name) => [name, jwk[name]]))
  const key = parseKey(() => nodeCrypto().createPublicKey({ key: material, format: 'jwk' }))
  requireFit(alg, key)
  if (kid !== thumbprint(alg, key)) throw new TypeError('the kid of the JWK is not its thumbprint')
  return { alg, kid, key }
}

function signingKey(alg: PublicKeyAlgorithm, key: KeyObject): AsymmetricKey {
  requireFit(alg, key)
  return { alg, kid: thumbprint(alg, key), key }
}

/** The thumbprint of RFC 7638: SHA-256 of the members in `members`, in base64url. */
const thumbprint = (alg: PublicKeyAlgorithm, key: KeyObject): string =>
  toBase64Url(sha256(JSON.stringify(publicMembers(alg, key))))

function publicMembers(alg: PublicKeyAlgorithm, key: KeyObject): Pick<PublicJwk, 'kty'> {
  // Only the public key is exported. A wrong name in `members` can therefore not expose a private member.
  const exported = (key.type === 'public' ? key : nodeCrypto().createPublicKey(key)).export({ format: 'jwk' })
  const picked = members[alg].map((name) => [name, exported[name]])
  return Object.fromEntries(picked)
}

/**
 * Checks that a key fits `alg`, because `node:crypto` imports a key of any type, curve and length.
 * @throws TypeError when the key has another type or curve than `alg`, or is an RSA key of less than 2048 bits
 */
function requireFit(alg: PublicKeyAlgorithm, { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject) {
  const fits = {
    ES256: type === 'ec' && details?.namedCurve === 'prime256v1',
    EdDSA: type === 'ed25519',
    RS256: type === 'rsa' && (details?.modulusLength ?? 0) >= 2048, // RFC 7518 section 3.3
  }
  if (!fits[alg]) throw new TypeError(`the key does not fit ${alg}`)
}

function parseKey(parse: () => KeyObject): KeyObject {
  try {
    return parse()
  } catch (cause) {
    throw new TypeError('these bytes are no usable key', { cause })
  }
}
