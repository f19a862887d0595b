import { readCbor } from './cbor.ts'
import { WebauthnFailure } from './failure.ts'

/** The authenticator data of WebAuthn section 6.1, which the authenticator signs. */
export interface AuthenticatorData {
  /** SHA-256 of the RP id. */
  rpIdHash: Uint8Array
  isUserPresent: boolean
  isUserVerified: boolean
  /** The credential may be copied to other devices (BE). */
  isBackupEligible: boolean
  /** The credential has been copied (BS). */
  isBackedUp: boolean
  signCount: number
  /** The new credential of a registration. */
  attested?: AttestedCredential
}

export interface AttestedCredential {
  /** The model of the authenticator, as a UUID in lower case; all zeros when it is not told. */
  aaguid: string
  credentialId: Uint8Array
  /** The COSE key, as it was sent. */
  publicKey: Uint8Array
}

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04
const BACKUP_ELIGIBLE = 0x08
const BACKED_UP = 0x10
const ATTESTED_DATA = 0x40
const EXTENSION_DATA = 0x80

/** WebAuthn section 4, "Credential ID". */
const MAX_CREDENTIAL_ID = 1023

/**
 * Reads authenticator data. Extensions must be one CBOR map and are ignored. No byte may follow.
 * @throws WebauthnFailure `authenticator_data`, `credential_id` for an id of more than 1023 bytes, or
 *   `backup_flags` when the credential is backed up but not eligible for it
 */
export function parseAuthenticatorData(bytes: Uint8Array): AuthenticatorData {
  if (bytes.length < 37) throw new WebauthnFailure('authenticator_data')
  const flags = bytes[32]!
  const has = (flag: number): boolean => (flags & flag) !== 0
  const attested = has(ATTESTED_DATA) ? readAttested(bytes, 37) : undefined
  let end = attested?.end ?? 37
  if (has(EXTENSION_DATA)) end = endOfMap(bytes, end)
  if (end !== bytes.length) throw new WebauthnFailure('authenticator_data')
  if (has(BACKED_UP) && !has(BACKUP_ELIGIBLE)) throw new WebauthnFailure('backup_flags')
  return {
    rpIdHash: bytes.subarray(0, 32),
    isUserPresent: has(USER_PRESENT),
    isUserVerified: has(USER_VERIFIED),
    isBackupEligible: has(BACKUP_ELIGIBLE),
    isBackedUp: has(BACKED_UP),
    signCount: uint(bytes, 33, 4),
    ...(attested && { attested: attested.credential }),
  }
}

function readAttested(bytes: Uint8Array, at: number): { credential: AttestedCredential; end: number } {
  const idAt = at + 18
  if (bytes.length < idAt) throw new WebauthnFailure('authenticator_data')
  const idLength = uint(bytes, at + 16, 2)
  if (idLength > MAX_CREDENTIAL_ID) throw new WebauthnFailure('credential_id')
  const keyAt = idAt + idLength
  if (bytes.length < keyAt) throw new WebauthnFailure('authenticator_data')
  const end = endOfMap(bytes, keyAt)
  return {
    credential: {
      aaguid: bytes
        .subarray(at, at + 16)
        .toHex()
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
      credentialId: bytes.subarray(idAt, keyAt),
      publicKey: bytes.subarray(keyAt, end),
    },
    end,
  }
}

function endOfMap(bytes: Uint8Array, at: number): number {
  try {
    const { value, end } = readCbor(bytes, at)
    if (value instanceof Map) return end
  } catch {
    // Refused below, as every other value is
  }
  throw new WebauthnFailure('authenticator_data')
}

const uint = (bytes: Uint8Array, at: number, length: number): number =>
  bytes.subarray(at, at + length).reduce((sum, byte) => sum * 256 + byte, 0)
