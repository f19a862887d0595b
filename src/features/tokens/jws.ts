import { fromBase64Url, toBase64Url, utf8 } from '../../lib/encoding.ts'
import { constantTimeEqual } from '../../lib/hash.ts'
import { parseStrictJson } from '../../lib/json.ts'
import { nodeCrypto } from '../../lib/node-crypto.ts'
import type { SigningKey, VerificationKey } from '../signing-keys/signing-keys.ts'

/** The header of a token that was verified. */
export interface JwsHeader {
  alg: string
  kid: string | undefined
  typ: string | undefined
}

export interface VerifiedJws {
  header: JwsHeader
  payload: Record<string, unknown>
}

/**
 * The key for a token's `kid` and `alg`, or `undefined`. Both come from an unverified header: use them to look up,
 * for nothing else. It need not compare `alg`; `verify` does.
 */
export type FindKey = (kid: string | undefined, alg: string) => VerificationKey | undefined

export interface VerifyOptions {
  /** The `typ` the header must have, letter for letter. `undefined`: it must have none. */
  typ: string | undefined
}

const MAX_TOKEN_LENGTH = 8 * 1024
const MAX_DEPTH = 8

/**
 * Header parameters that would change what is verified, or with which key. `crit` and `b64` must not be ignored by who
 * does not support them (RFC 7515 section 4.1.11, RFC 7797); the others no token of ours has, so one that does is an
 * attempt. Any other unknown parameter is ignored, as RFC 7515 section 4 asks.
 */
const refusedParameters = ['crit', 'b64', 'zip', 'jwk', 'jku', 'x5u', 'x5c', 'cty']

/**
 * Signs `payload` as a compact JWS (RFC 7515 section 7.1) with `alg`, `kid` and `typ` in the header.
 * Synchronous on purpose: WebCrypto and everything built on it waits in the thread pool behind password hashing.
 * @throws RangeError when the token would be longer than the 8 KiB that `verify` takes
 */
export function sign(key: SigningKey, payload: object, typ: string): string {
  const signingInput = `${headerOf(key, typ)}.${encodeJson(payload)}`
  const token = `${signingInput}.${toBase64Url(signBytes(key, utf8(signingInput)))}`
  if (token.length > MAX_TOKEN_LENGTH) throw new RangeError('the token is longer than 8 KiB')
  return token
}

/**
 * Verifies a compact JWS and answers its header and payload, or `undefined` for whatever is wrong with it; it throws
 * nothing of its own. It takes only
 * - at most 8 KiB, exactly three segments, each in canonical base64url without padding (RFC 7515 section 2);
 * - a header and a payload that are JSON objects in well-formed UTF-8 without duplicate names (section 4);
 * - the one `alg` of the key that `findKey` names (RFC 8725 section 3.1): `none` belongs to no key, and a public key
 *   is never taken for an HS256 secret. Parameters that bring a key, or ask for an extension, are refused;
 * - exactly the `typ` expected. RFC 7515 section 4.1.9 would allow other cases and an `application/` prefix; only
 *   tokens that `sign` made are verified here, so there is one spelling (RFC 8725 section 3.11).
 *
 * The claims are not judged: see `checkClaims`. The text does not identify a token (every ES256 signature has a second
 * valid form): whatever denies one token must go by `jti` or `sid`.
 */
export function verify(token: string, findKey: FindKey, options: VerifyOptions): VerifiedJws | undefined {
  const segments = splitCompact(token)
  const signature = segments && fromBase64Url(segments.signature)
  const header = segments && parseHeader(segments.header)
  if (!segments || !signature || !header || header.typ !== options.typ) return undefined

  const key = findKey(header.kid, header.alg)
  if (key === undefined || key.alg !== header.alg) return undefined
  if (!verifyBytes(key, utf8(`${segments.header}.${segments.payload}`), signature)) return undefined

  // Parsed only now: until the signature held, the payload was a stranger's text.
  const payload = parseJsonObject(segments.payload)
  return payload && { header, payload }
}

const headers = new WeakMap<SigningKey, { typ: string; text: string }>()

/** The header of all tokens that a key signs; a key has one `typ` for all of them. */
function headerOf(key: SigningKey, typ: string): string {
  let header = headers.get(key)
  if (header?.typ !== typ) {
    header = { typ, text: encodeJson({ alg: key.alg, kid: key.kid, typ }) }
    headers.set(key, header)
  }
  return header.text
}

/** The signature of `data`, with nothing around it: 64 bytes of r and s for ES256 (RFC 7518 section 3.4), not DER. */
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

/** Whether `signature` is one of `data` under `key`. False for malformed ones too; a MAC is compared in constant time. */
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
    return false // OpenSSL throws where it cannot read a signature; that is no different from a wrong one
  }
}

/** Two look-ups and a check for a third dot: a split would build an array as long as a hostile token has dots. */
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

/** `ignoreBOM` keeps a byte order mark in the text, where the JSON parser refuses it. */
const wellFormedUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const encodeJson = (value: object): string => toBase64Url(utf8(JSON.stringify(value)))

const isOptionalString = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
