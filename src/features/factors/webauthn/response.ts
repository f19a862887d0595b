import { fromBase64Url } from '../../../lib/encoding.ts'
import { sha256 } from '../../../lib/hash.ts'
import type { AuthenticatorData } from './authenticator-data.ts'
import { WebauthnFailure } from './failure.ts'

/** What the responses of both ceremonies have in common. */
export interface Response {
  /** The credential id in base64url. */
  id: string
  /** The member `response`. */
  inner: Record<string, unknown>
}

/**
 * Reads the outer members of a RegistrationResponseJSON or AuthenticationResponseJSON (WebAuthn section 5.1). `id` and
 * `rawId` are the same, and base64url is strict.
 * @throws WebauthnFailure `malformed_response`, or `credential_id`
 */
export function readResponse(response: unknown): Response {
  const { id, rawId, type, response: inner } = recordOf(response)
  if (type !== 'public-key' || typeof id !== 'string') throw new WebauthnFailure('malformed_response')
  if (id === '' || rawId !== id || fromBase64Url(id) === undefined) throw new WebauthnFailure('credential_id')
  return { id, inner: recordOf(inner) }
}

/**
 * Decodes a member in base64url.
 * @throws WebauthnFailure `malformed_response` for anything else than strict base64url
 */
export function bytesMember(inner: Record<string, unknown>, name: string): Uint8Array {
  const text = inner[name]
  const bytes = typeof text === 'string' ? fromBase64Url(text) : undefined
  if (bytes === undefined) throw new WebauthnFailure('malformed_response')
  return bytes
}

/**
 * Checks what both ceremonies require of the authenticator data.
 * @throws WebauthnFailure `rp_id`, `user_presence` or `user_verification`
 */
export function checkAuthenticatorData(
  data: AuthenticatorData,
  { rpId, requireUv }: { rpId: string; requireUv: boolean },
): void {
  if (Buffer.compare(data.rpIdHash, sha256(rpId)) !== 0) throw new WebauthnFailure('rp_id')
  if (!data.isUserPresent) throw new WebauthnFailure('user_presence')
  if (requireUv && !data.isUserVerified) throw new WebauthnFailure('user_verification')
}

/** The bytes that the authenticator signs: its data, and the SHA-256 of the client data. */
export const signedBytes = (authenticatorData: Uint8Array, clientData: Uint8Array): Uint8Array =>
  Buffer.concat([authenticatorData, sha256(clientData)])

function recordOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new WebauthnFailure('malformed_response')
  return value as Record<string, unknown>
}
