export const sha256 = (data: string | Uint8Array): Uint8Array => new Bun.CryptoHasher('sha256').update(data).digest()

/**
 * Returns the HMAC-SHA-256 (RFC 2104) of the data, 32 bytes. The function is synchronous, so a request does not wait in
 * the thread pool.
 */
export const hmacSha256 = (key: Uint8Array, data: string | Uint8Array): Uint8Array =>
  new Bun.CryptoHasher('sha256', key).update(data).digest()

/**
 * Returns the HMAC of the data with a hash that another standard prescribes. SHA-1 is weak as a hash, but not in an
 * HMAC (RFC 6194 section 3.3). Synchronous, as `hmacSha256`.
 */
export const hmac = (hash: 'sha1' | 'sha256' | 'sha512', key: Uint8Array, data: Uint8Array): Uint8Array =>
  new Bun.CryptoHasher(hash, key).update(data).digest()

/**
 * Derives a key of 32 bytes for one purpose from a root secret (HKDF with SHA-256, RFC 5869). The key is as long as a
 * SHA-256 hash, so the expansion of section 2.3 is a single step.
 */
export function deriveKey(secret: string | Uint8Array, purpose: string, salt = new Uint8Array()): Uint8Array {
  const extracted = hmacSha256(salt, secret)
  return hmacSha256(extracted, Buffer.concat([Buffer.from(purpose), Buffer.of(1)]))
}

/** Compares bytes in a time that depends on their lengths only, so an attacker cannot guess a secret byte by byte. */
export const constantTimeEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && crypto.timingSafeEqual(a, b)
