import { fromBase64Url, toBase64Url } from './encoding.ts'
import { deriveKey, sha256 } from './hash.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { Random } from './random.ts'

/**
 * The id of a root secret: the first six bytes of the SHA-256 of a label and the secret. The id does not reveal the
 * secret.
 */
export const secretId = (secret: string): string => toBase64Url(sha256(`keyward secret id\n${secret}`).subarray(0, 6))

/**
 * Seals `plaintext` with AES-256-GCM under a key derived from `secret`. `context` names the row and column and is
 * authenticated, so a sealed text that is moved to another row cannot be unsealed.
 * @returns `v1.<secret id>.<nonce>.<ciphertext and tag>`, each part in base64url
 */
export function seal(secret: string, context: string, plaintext: Uint8Array, random: Random): string {
  const nonce = random.bytes(12)
  const cipher = nodeCrypto().createCipheriv('aes-256-gcm', deriveKey(secret, 'keyward seal v1'), nonce)
  cipher.setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  return `v1.${secretId(secret)}.${toBase64Url(nonce)}.${toBase64Url(sealed)}`
}

/** Returns the `secretId` in a text that `seal` made, without a check of the text; undefined when there is no id. */
export const sealedWith = (sealed: string): string | undefined => sealed.split('.')[1]

/**
 * Opens a text that `seal` made with one of `secrets`. Returns `undefined` when the text has another secret's id, or
 * when the text was altered or moved to another row.
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
