/**
 * Why a WebAuthn response was refused. A reason is for the audit log and for tests: the person only learns that it
 * failed, because the reasons tell an attacker which check to work on.
 */
export type WebauthnReason =
  | 'malformed_response'
  | 'client_data'
  | 'type'
  | 'challenge'
  | 'origin'
  | 'cross_origin'
  | 'authenticator_data'
  | 'rp_id'
  | 'user_presence'
  | 'user_verification'
  | 'backup_flags'
  | 'backup_eligibility_changed'
  | 'attestation_object'
  | 'attestation'
  | 'credential_id'
  | 'algorithm'
  | 'public_key'
  | 'signature'

/** Thrown for every WebAuthn response that is refused. Nothing else is thrown, whatever the response is. */
export class WebauthnFailure extends Error {
  override readonly name = 'WebauthnFailure'
  constructor(readonly reason: WebauthnReason) {
    super(`WebAuthn response refused: ${reason}`)
  }
}
