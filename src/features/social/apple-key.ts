import { type Clock, MINUTE, SECOND } from '../../lib/clock.ts'
import { nodeCrypto } from '../../lib/node-crypto.ts'
import { importPrivateKey } from '../signing-keys/signing-keys.ts'
import { sign } from '../tokens/tokens.ts'
import type { Provider } from './provider.ts'

/** Returns true for the PEM text of a private key on P-256, with which Apple's client secrets are signed (ES256). */
export function isApplePrivateKey(text: string): boolean {
  try {
    const key = nodeCrypto().createPrivateKey(text)
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}

/** Makes the client secret for Apple: a JWT of five minutes, signed with the private key of the developer. */
export function appleClientSecret(
  { clientId, settings: { teamId, keyId } }: Pick<Provider, 'clientId' | 'settings'>,
  pem: string,
  clock: Clock,
): string {
  const der = nodeCrypto().createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  const iat = Math.floor(clock.now() / SECOND)
  const claims = { iss: teamId, sub: clientId, aud: 'https://appleid.apple.com', iat, exp: iat + (5 * MINUTE) / SECOND }
  return sign({ ...importPrivateKey('ES256', der), kid: keyId! }, claims, 'JWT')
}
