import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto'

export const sha256 = (data: string | Uint8Array): Uint8Array => createHash('sha256').update(data).digest()

/** HMAC-SHA-256 (RFC 2104), 32 bytes. Synchronous: nothing waits in the thread pool. */
export const hmacSha256 = (key: Uint8Array, data: string | Uint8Array): Uint8Array =>
  new Bun.CryptoHasher('sha256', key).update(data).digest()

/** 32 bytes for one purpose out of a root secret (HKDF with SHA-256, RFC 5869). */
export const deriveKey = (
  secret: string | Uint8Array,
  purpose: string,
  salt: Uint8Array = new Uint8Array(),
): Uint8Array => new Uint8Array(hkdfSync('sha256', secret, salt, purpose, 32))

/** Compares in a time that depends on the lengths only. */
export const constantTimeEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.byteLength === b.byteLength && timingSafeEqual(a, b)
