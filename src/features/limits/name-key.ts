import { toBase64Url } from '../../lib/encoding.ts'
import { deriveKey, hmacSha256 } from '../../lib/hash.ts'

/** Makes `Limits.nameKey`: `n` and 132 bits of an HMAC-SHA-256 whose key is derived from SECRET_KEY. */
export function createNameKey(secret: string): (name: string) => string {
  const macKey = deriveKey(secret, 'keyward limit name v1')
  return (name) => `n${toBase64Url(hmacSha256(macKey, name)).slice(0, 22)}`
}
