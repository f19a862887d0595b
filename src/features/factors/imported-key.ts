import type { KeyObject } from 'node:crypto'

/*
 * Writes COSE keys (RFC 9052 section 7), as an authenticator writes them: the parameters of each kind of key in the order
 * of CTAP2's canonical CBOR. Only what such a key needs of CBOR is here.
 */

/** The head of a CBOR item (RFC 8949 section 3). `value` is below 65,536. */
const head = (major: number, value: number): Buffer => {
  const type = major << 5
  if (value < 24) return Buffer.from([type | value])
  if (value < 0x100) return Buffer.from([type | 24, value])
  return Buffer.from([type | 25, value >> 8, value & 0xff])
}

const integer = (value: number): Buffer => (value < 0 ? head(1, -1 - value) : head(0, value))
const bytes = (base64Url: string | undefined): Buffer => {
  const value = Buffer.from(base64Url ?? '', 'base64url')
  return Buffer.concat([head(2, value.length), value])
}

const map = (...entries: (readonly [label: number, value: Buffer])[]): Uint8Array =>
  Buffer.concat([head(5, entries.length), ...entries.flatMap(([label, value]) => [integer(label), value])])

/**
 * Makes the COSE key of a public key, for ES256, EdDSA or RS256.
 * @throws TypeError for a key of another kind
 */
export function coseKeyOf(key: KeyObject): Uint8Array {
  const jwk = key.export({ format: 'jwk' })
  const kind = `${jwk.kty} ${jwk.crv ?? ''}`.trim()
  if (kind === 'EC P-256')
    return map([1, integer(2)], [3, integer(-7)], [-1, integer(1)], [-2, bytes(jwk.x)], [-3, bytes(jwk.y)])
  if (kind === 'OKP Ed25519') return map([1, integer(1)], [3, integer(-8)], [-1, integer(6)], [-2, bytes(jwk.x)])
  if (kind === 'RSA') return map([1, integer(3)], [3, integer(-257)], [-1, bytes(jwk.n)], [-2, bytes(jwk.e)])
  throw new TypeError('No key of WebAuthn')
}
