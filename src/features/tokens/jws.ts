import { fromBase64Url, toBase64Url, utf8 } from '../../lib/encoding.ts'
import { constantTimeEqual } from '../../lib/hash.ts'
import { parseStrictJson } from '../../lib/json.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { nodeCrypto } from '../../lib/node-crypto.ts'
import type { SigningKey, VerificationKey } from '../signing-keys/signing-keys.ts'

/** The header of a token that was verified. */
interface JwsHeader {
  alg: string
  kid: string | undefined
  typ: string | undefined
}

interface VerifiedJws {
  header: JwsHeader
  payload: Record<string, unknown>
}

/**
 * Returns the key for a token's `kid` and `alg`, or `undefined`. Both values come from an unverified header: use them
 * for the look-up only. `verify` compares the `alg` of the key with the `alg` of the token.
 */
export type FindKey = (kid: string | undefined, alg: string) => VerificationKey | undefined

const MAX_TOKEN_LENGTH = 8 * 1024
const MAX_DEPTH = 8

/**
 * `verify` refuses a token with one of these header parameters. Each parameter would change the key, the bytes that are
 * verified, or the meaning of the payload. Keyward never writes these parameters. A verifier without support for `crit`
 * and `b64` must refuse both parameters (RFC 7515 section 4.1.11, RFC 7797). `verify` ignores other unknown parameters
 * (RFC 7515 section 4).
 */
const refusedParameters = ['crit', 'b64', 'zip', 'jwk', 'jku', 'x5u', 'x5c', 'cty']

/**
 * Signs `payload` as a compact JWS (RFC 7515 section 7.1) with `alg`, `kid` and `typ` in the header.
 * The function is synchronous. A signature by WebCrypto would wait in the thread pool behind password hashes.
 * @throws RangeError when the token would be longer than the 8 KiB that `verify` accepts
 */
export function sign(key: SigningKey, payload: object, typ: string): string {
  const input = signingInput(key, payload, typ)
  return compact(input, signBytes(key, utf8(input)))
}

/**
 * As `sign`, with a signature that `signer` makes, which may be in another thread.
 * @throws RangeError as `sign`, and the error of `signer`
 */
export async function signWith(signer: Signer, key: SigningKey, payload: object, typ: string): Promise<string> {
  const input = signingInput(key, payload, typ)
  return compact(input, await signer.sign(key, utf8(input)))
}

interface Signer {
  sign(key: SigningKey, data: Uint8Array): MaybePromise<Uint8Array>
}

/** The header and the payload, which the signature covers (RFC 7515 section 5.1). */
const signingInput = (key: SigningKey, payload: object, typ: string): string =>
  `${encodeJson({ alg: key.alg, kid: key.kid, typ })}.${encodeJson(payload)}`

function compact(input: string, signature: Uint8Array): string {
  const token = `${input}.${toBase64Url(signature)}`
  if (token.length > MAX_TOKEN_LENGTH) throw new RangeError('the token is longer than 8 KiB')
  return token
}

/**
 * Verifies a compact JWS. `verify` accepts only
 * - at most 8 KiB, exactly three segments, each in canonical base64url without padding (RFC 7515 section 2);
 * - a header and a payload that are JSON objects in well-formed UTF-8 without duplicate names (section 4);
 * - the `alg` of the key that `findKey` returns (RFC 8725 section 3.1). No key has `none`, and a public key is never
 *   used as an HS256 secret;
 * - a header without `refusedParameters`;
 * - exactly the expected `typ` (RFC 8725 section 3.11). RFC 7515 section 4.1.9 also allows other spellings, but `sign`
 *   does not write them.
 *
 * `verify` does not check the claims; `checkClaims` does. Do not identify a revoked token by its text: each ES256
 * signature has a second valid form, so one token can have two texts. Use `jti` or `sid`.
 * @param expected.typ undefined when the token must have no `typ`
 * @returns undefined for an invalid token; it does not throw
 */
export function verify(
  token: string,
  findKey: FindKey,
  expected: { typ: string | undefined },
): VerifiedJws | undefined {
  const segments = splitCompact(token)
  const signature = segments && fromBase64Url(segments.signature)
  const header = segments && parseHeader(segments.header)
  if (!segments || !signature || !header || header.typ !== expected.typ) return undefined

  const key = findKey(header.kid, header.alg)
  if (key === undefined || key.alg !== header.alg) return undefined
  if (!verifyBytes(key, utf8(`${segments.header}.${segments.payload}`), signature)) return undefined

  // The payload is parsed only now, because a payload without a valid signature may come from an attacker.
  const payload = parseJsonObject(segments.payload)
  return payload && { header, payload }
}

/** Signs `data`. An ES256 signature is the 64 bytes of r and s (RFC 7518 section 3.4), not DER. */
export function signBytes(key: SigningKey, data: Uint8Array): Uint8Array {
  switch (key.alg) {
    case 'HS256':
      return key.mac(data)
    case 'ES256':
      return nodeCrypto().sign('sha256', data, { key: key.key, dsaEncoding: 'ieee-p1363' })
    case 'EdDSA':
      return nodeCrypto().sign(null, data, key.key)
    case 'RS256':
      return nodeCrypto().sign('sha256', data, key.key)
  }
}

/** Returns true when `signature` is a valid signature of `data` by `key`. A MAC is compared in constant time. */
export function verifyBytes(key: VerificationKey, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (key.alg === 'HS256') return constantTimeEqual(key.mac(data), signature)
    const { verify } = nodeCrypto()
    switch (key.alg) {
      case 'ES256': {
        const how = { key: key.key, dsaEncoding: 'ieee-p1363' } as const
        return signature.byteLength === 64 && verify('sha256', data, how, signature)
      }
      case 'EdDSA':
        return signature.byteLength === 64 && verify(null, data, key.key, signature)
      case 'RS256':
        return verify('sha256', data, key.key, signature)
    }
  } catch {
    return false // `verify` of `node:crypto` throws when it cannot read the signature
  }
}

/** Splits a token at its two dots. `String.split` would make a long array from a text of many dots. */
function splitCompact(token: string): { header: string; payload: string; signature: string } | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first === -1 || second === -1 || token.includes('.', second + 1)) return undefined
  return { header: token.slice(0, first), payload: token.slice(first + 1, second), signature: token.slice(second + 1) }
}

function parseHeader(segment: string): JwsHeader | undefined {
  const header = parseJsonObject(segment)
  if (header === undefined || refusedParameters.some((name) => Object.hasOwn(header, name))) return undefined
  const { alg, kid, typ } = header
  if (typeof alg !== 'string' || !isOptionalString(kid) || !isOptionalString(typ)) return undefined
  return { alg, kid, typ }
}

function parseJsonObject(segment: string): Record<string, unknown> | undefined {
  const bytes = fromBase64Url(segment)
  if (bytes === undefined) return undefined
  try {
    const value = parseStrictJson(wellFormedUtf8.decode(bytes), { maxDepth: MAX_DEPTH })
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** `ignoreBOM: true` keeps a byte order mark in the text. The JSON parser then refuses the text. */
const wellFormedUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const encodeJson = (value: object): string => toBase64Url(utf8(JSON.stringify(value)))

const isOptionalString = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
