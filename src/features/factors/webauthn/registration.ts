import { toBase64Url } from '../../../lib/encoding.ts'
import { type AttestedCredential, parseAuthenticatorData } from './authenticator-data.ts'
import { type CborMap, readCborMap } from './cbor.ts'
import { checkClientData, parseClientData } from './client-data.ts'
import { type CoseAlgorithm, type CredentialKey, importCoseKey, isSignedBy } from './cose-key.ts'
import { WebauthnFailure } from './failure.ts'
import { bytesMember, checkAuthenticatorData, readResponse, signedBytes } from './response.ts'

export interface RegistrationCheck {
  /** The RegistrationResponseJSON of the browser. */
  response: unknown
  /** The challenge of the options, in base64url. */
  challenge: string
  /** The accepted origins, compared exactly. */
  origins: readonly string[]
  rpId: string
  /** True when the authenticator must have verified the user, with a PIN or biometrics. */
  requireUv: boolean
  /** The algorithms that were offered. */
  algorithms?: readonly CoseAlgorithm[]
}

/** A credential that was just registered. Bytes are base64url. */
export interface NewCredential {
  credentialId: string
  /** The COSE key. */
  publicKey: string
  alg: CoseAlgorithm
  signCount: number
  /** The model of the authenticator, a UUID; all zeros when it is not told. */
  aaguid: string
  /** The authenticator verified the user. */
  isUv: boolean
  /** The credential may be copied to other devices. This never changes. */
  backupEligible: boolean
  /** The credential has been copied. */
  backedUp: boolean
  /** How the browser reaches the authenticator, such as `usb` or `internal`. */
  transports: string[]
}

/**
 * Checks the response of a registration (WebAuthn section 7.1). Attestation was not asked for: the format `none` must
 * have an empty statement, a self attestation of the format `packed` must be right, and other statements are ignored.
 * The caller owns the challenge, and knows whether the credential id is taken.
 * @throws WebauthnFailure when the response is refused
 */
export function verifyRegistration(check: RegistrationCheck): NewCredential {
  const { id, inner } = readResponse(check.response)
  const clientData = bytesMember(inner, 'clientDataJSON')
  checkClientData(parseClientData(clientData), { ...check, type: 'webauthn.create' })
  const { fmt, attStmt, authData } = readAttestation(bytesMember(inner, 'attestationObject'))
  const data = parseAuthenticatorData(authData)
  checkAuthenticatorData(data, check)
  const { credentialId, publicKey, aaguid } = attestedCredential(data.attested)
  if (toBase64Url(credentialId) !== id) throw new WebauthnFailure('credential_id')
  const key = importCoseKey(publicKey, check.algorithms)
  if (fmt === 'none') checkNone(attStmt)
  if (fmt === 'packed') checkPacked(attStmt, key, signedBytes(authData, clientData))
  return {
    credentialId: id,
    publicKey: toBase64Url(publicKey),
    alg: key.alg,
    signCount: data.signCount,
    aaguid,
    isUv: data.isUserVerified,
    backupEligible: data.isBackupEligible,
    backedUp: data.isBackedUp,
    transports: transportsOf(inner.transports),
  }
}

interface Attestation {
  fmt: string
  attStmt: CborMap | unknown[]
  authData: Uint8Array
}

/** Reads an attestation object (WebAuthn section 6.5.4). Only the format `compound` has an array as its statement. */
function readAttestation(bytes: Uint8Array): Attestation {
  const members = mapOf(bytes)
  const fmt = members.get('fmt')
  const attStmt = members.get('attStmt')
  const authData = members.get('authData')
  if (typeof fmt !== 'string' || !(authData instanceof Uint8Array)) throw new WebauthnFailure('attestation_object')
  if (!(attStmt instanceof Map || Array.isArray(attStmt))) throw new WebauthnFailure('attestation_object')
  return { fmt, attStmt, authData }
}

function mapOf(bytes: Uint8Array): CborMap {
  try {
    return readCborMap(bytes)
  } catch {
    throw new WebauthnFailure('attestation_object')
  }
}

function attestedCredential(attested: AttestedCredential | undefined): AttestedCredential {
  if (!attested) throw new WebauthnFailure('authenticator_data')
  return attested
}

function checkNone(statement: Attestation['attStmt']): void {
  if (!(statement instanceof Map) || statement.size > 0) throw new WebauthnFailure('attestation')
}

/** Checks a self attestation (WebAuthn section 8.2). A statement with certificates is ignored. */
function checkPacked(statement: Attestation['attStmt'], key: CredentialKey, signed: Uint8Array): void {
  if (!(statement instanceof Map)) throw new WebauthnFailure('attestation')
  if (statement.has('x5c')) return
  const sig = statement.get('sig')
  const isRight = statement.get('alg') === key.alg && sig instanceof Uint8Array && isSignedBy(key, signed, sig)
  if (!isRight) throw new WebauthnFailure('attestation')
}

/** Keeps transports that future browsers may send, but no text that a database or a page could stumble over. */
function transportsOf(sent: unknown): string[] {
  if (!Array.isArray(sent)) return []
  const texts = sent.filter((one): one is string => typeof one === 'string' && /^[\w-]{1,32}$/.test(one))
  return [...new Set(texts)].slice(0, 10)
}
