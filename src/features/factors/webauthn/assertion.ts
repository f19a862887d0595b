import { fromBase64Url } from '../../../lib/encoding.ts'
import { parseAuthenticatorData } from './authenticator-data.ts'
import { type ClientData, checkClientData, parseClientData } from './client-data.ts'
import { type CoseAlgorithm, importCoseKey, isSignedBy } from './cose-key.ts'
import { WebauthnFailure } from './failure.ts'
import { bytesMember, checkAuthenticatorData, readResponse, signedBytes } from './response.ts'

/** An AuthenticationResponseJSON that was read, before its credential is known. Nothing of it is proved yet. */
export interface ParsedAssertion {
  /** The credential id in base64url. */
  credentialId: string
  /** The user handle in base64url, if the authenticator sent one. */
  userHandle: string | undefined
  clientData: ClientData
  /** The bytes as they were sent, for `verifyAssertion`. */
  bytes: { clientData: Uint8Array; authenticatorData: Uint8Array; signature: Uint8Array }
}

export interface AssertionCheck {
  assertion: ParsedAssertion
  /** The challenge of the options, in base64url. */
  challenge: string
  /** The accepted origins, compared exactly. */
  origins: readonly string[]
  /** The RP id for which the credential was registered. */
  rpId: string
  /** The credential with the id of the assertion, as `verifyRegistration` returned it. */
  credential: { publicKey: string; alg: CoseAlgorithm; backupEligible: boolean }
  /** True when the authenticator must have verified the user, with a PIN or biometrics. */
  requireUv: boolean
}

/** What an assertion proves beside the possession of the key. */
export interface VerifiedAssertion {
  /** The signature counter, which the caller compares with the stored one. 0 when the authenticator has none. */
  signCount: number
  /** The authenticator verified the user. */
  isUv: boolean
  /** The credential has been copied to another device. */
  backedUp: boolean
}

/** WebAuthn section 5.4.3: a user handle has at most 64 bytes. */
const MAX_USER_HANDLE = 64

/**
 * Reads an AuthenticationResponseJSON, so that the caller can look up its credential and its challenge. An empty user
 * handle is the same as none.
 * @throws WebauthnFailure when it is malformed
 */
export function parseAssertion(response: unknown): ParsedAssertion {
  const { id, inner } = readResponse(response)
  const clientData = bytesMember(inner, 'clientDataJSON')
  return {
    credentialId: id,
    userHandle: userHandleOf(inner.userHandle),
    clientData: parseClientData(clientData),
    bytes: {
      clientData,
      authenticatorData: bytesMember(inner, 'authenticatorData'),
      signature: bytesMember(inner, 'signature'),
    },
  }
}

/**
 * Checks an assertion (WebAuthn section 7.2). The caller owns the challenge, checks that the credential and the user
 * handle belong to the user of the ceremony, and judges the signature counter.
 * @throws WebauthnFailure when the assertion is refused
 */
export function verifyAssertion(check: AssertionCheck): VerifiedAssertion {
  const { assertion, credential } = check
  const { bytes } = assertion
  checkClientData(assertion.clientData, { ...check, type: 'webauthn.get' })
  const data = parseAuthenticatorData(bytes.authenticatorData)
  checkAuthenticatorData(data, check)
  if (data.isBackupEligible !== credential.backupEligible) throw new WebauthnFailure('backup_eligibility_changed')
  const cose = fromBase64Url(credential.publicKey)
  if (!cose) throw new WebauthnFailure('public_key')
  const key = importCoseKey(cose, [credential.alg])
  if (!isSignedBy(key, signedBytes(bytes.authenticatorData, bytes.clientData), bytes.signature))
    throw new WebauthnFailure('signature')
  return { signCount: data.signCount, isUv: data.isUserVerified, backedUp: data.isBackedUp }
}

function userHandleOf(sent: unknown): string | undefined {
  if (sent === undefined || sent === null || sent === '') return undefined
  const bytes = typeof sent === 'string' ? fromBase64Url(sent) : undefined
  if (!bytes || bytes.length > MAX_USER_HANDLE) throw new WebauthnFailure('malformed_response')
  return sent as string
}
