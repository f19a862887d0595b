import { MINUTE } from '../../../lib/clock.ts'
import { offeredAlgorithms } from './cose-key.ts'

/**
 * What a user registers. A passkey is found without a name and verifies the user: it is both factors. A security key is
 * a second factor after a password.
 */
export type CredentialKind = 'passkey' | 'security_key'

/** A registered credential, by which a browser recognizes its authenticator. The id is base64url. */
export interface CredentialHint {
  credentialId: string
  transports: readonly string[]
}

export interface CredentialDescriptorJson {
  type: 'public-key'
  id: string
  transports: string[]
}

/** The PublicKeyCredentialCreationOptionsJSON that Keyward sends (WebAuthn section 5.1.9). */
export interface CreationOptionsJson {
  rp: { id: string; name: string }
  user: { id: string; name: string; displayName: string }
  challenge: string
  pubKeyCredParams: { type: 'public-key'; alg: number }[]
  timeout: number
  excludeCredentials: CredentialDescriptorJson[]
  authenticatorSelection: {
    residentKey: 'required' | 'discouraged'
    requireResidentKey: boolean
    userVerification: 'required' | 'discouraged'
  }
  hints?: string[]
  attestation: 'none'
  extensions: { credProps: true }
}

/** The PublicKeyCredentialRequestOptionsJSON that Keyward sends (WebAuthn section 5.1.10). */
export interface RequestOptionsJson {
  challenge: string
  timeout: number
  rpId: string
  allowCredentials: CredentialDescriptorJson[]
  userVerification: 'required' | 'preferred' | 'discouraged'
}

/** How long a challenge is good, in milliseconds: the default of WebAuthn section 15.1. */
export const CHALLENGE_LIFETIME = 5 * MINUTE

/**
 * Makes the options of a registration, as `PublicKeyCredential.parseCreationOptionsFromJSON` takes them. For a security
 * key user verification is discouraged: with "preferred" a browser would demand that the owner sets a PIN.
 * @param from.user.handle the user handle in base64url, random and without a meaning
 * @param from.exclude all credentials of the user, so that an authenticator is not registered twice
 * @param from.challenge in base64url
 */
export function creationOptions(from: {
  kind: CredentialKind
  rpId: string
  rpName: string
  user: { handle: string; name: string; displayName: string }
  exclude: readonly CredentialHint[]
  challenge: string
}): CreationOptionsJson {
  const isPasskey = from.kind === 'passkey'
  return {
    rp: { id: from.rpId, name: from.rpName },
    user: { id: from.user.handle, name: from.user.name, displayName: from.user.displayName },
    challenge: from.challenge,
    pubKeyCredParams: offeredAlgorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout: CHALLENGE_LIFETIME,
    excludeCredentials: from.exclude.map(descriptor),
    authenticatorSelection: {
      residentKey: isPasskey ? 'required' : 'discouraged',
      requireResidentKey: isPasskey,
      userVerification: isPasskey ? 'required' : 'discouraged',
    },
    ...(!isPasskey && { hints: ['security-key'] }),
    attestation: 'none',
    extensions: { credProps: true },
  }
}

/**
 * Makes the options of an authentication, as `PublicKeyCredential.parseRequestOptionsFromJSON` takes them.
 * @param from.allow the credentials of the user; none when nobody is known yet, and the browser offers its passkeys
 */
export const requestOptions = (from: {
  rpId: string
  challenge: string
  allow?: readonly CredentialHint[]
  userVerification: RequestOptionsJson['userVerification']
}): RequestOptionsJson => ({
  challenge: from.challenge,
  timeout: CHALLENGE_LIFETIME,
  rpId: from.rpId,
  allowCredentials: (from.allow ?? []).map(descriptor),
  userVerification: from.userVerification,
})

const descriptor = ({ credentialId, transports }: CredentialHint): CredentialDescriptorJson => ({
  type: 'public-key',
  id: credentialId,
  transports: [...transports],
})
