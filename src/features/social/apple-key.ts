import { nodeCrypto } from '../../lib/node-crypto.ts'

/** Returns true for the PEM text of a private key on P-256, with which Apple's client secrets are signed (ES256). */
export function isApplePrivateKey(text: string): boolean {
  try {
    const key = nodeCrypto().createPrivateKey(text)
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}
