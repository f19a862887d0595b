import { fromBase64Url, toBase64Url } from './encoding.ts'
import { deriveKey, sha256 } from './hash.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { Random } from './random.ts'

/**
 * Returns the id of a root secret: the first six bytes of the SHA-256 of a label and the secret, in base64url. Six
 * bytes distinguish the few root secrets of a service, and do not reveal a random secret.
 */
export const secretId = (secret: string): string => toBase64Url(sha256(`keyward secret id\n${secret}`).subarray(0, 6))

/**
 * Seals `plaintext` with AES-256-GCM under a key that is derived from `secret`.
 * @param context the names of the row and column. They are authenticated, so a sealed text cannot be opened in another
 * row
 * @returns `v1.<secret id>.<nonce>.<ciphertext and tag>`, each part in base64url
 */
export function seal(secret: string, context: string, plaintext: Uint8Array, random: Random): string {
  const nonce = random.bytes(12)
  const cipher = nodeCrypto().createCipheriv('aes-256-gcm', deriveKey(secret, 'keyward seal v1'), nonce)
  cipher.setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  return `v1.${secretId(secret)}.${toBase64Url(nonce)}.${toBase64Url(sealed)}`
}

/** How many characters of a seal name the secret: `v1.`, the eight characters of a `secretId`, and a dot. */
export const SEAL_PREFIX = 12

/** The first `SEAL_PREFIX` characters of every seal of this secret. */
export const sealPrefix = (secret: string): string => `v1.${secretId(secret)}.`

/** Returns the `secretId` in a text that `seal` made; undefined when the text has no id. The text is not checked. */
export const sealedWith = (sealed: string): string | undefined => sealed.split('.')[1]

/**
 * Opens a text that `seal` made with one of `secrets`.
 * @returns undefined when none of `secrets` has the id in the text, or when the text was altered or moved to another
 * row
 */
export function unseal(secrets: readonly string[], context: string, sealed: string): Uint8Array | undefined {
  const [version, id, nonceText, bodyText, ...rest] = sealed.split('.')
  if (version !== 'v1' || rest.length > 0) return undefined
  const secret = secrets.find((candidate) => secretId(candidate) === id)
  const nonce = fromBase64Url(nonceText ?? '')
  const body = fromBase64Url(bodyText ?? '')
  if (secret === undefined || nonce?.length !== 12 || body === undefined || body.length < 16) return undefined
  try {
    const decipher = nodeCrypto().createDecipheriv('aes-256-gcm', deriveKey(secret, 'keyward seal v1'), nonce)
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(body.subarray(-16))
    return Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()])
  } catch {
    return undefined
  }
}
