import { invalidField, KeywardError } from '../../errors.ts'
import type { Proof, ProofPurpose } from '../proofs/proofs.ts'
import type { User } from '../users/users.ts'
import type { VerificationNeeds } from './verification.ts'

/** The part of a mail that a client sends: the token of the link, or the code with its challenge id. */
export interface Shown {
  token?: string | null
  /** The `challenge_id` that the client got when it asked for the mail. */
  challengeId?: string | null
  code?: string | null
}

/** Finds the proof of a token and its user. @returns undefined when the token is not valid (any more) */
export async function findByToken(
  { proofs }: Pick<VerificationNeeds, 'proofs'>,
  purpose: ProofPurpose,
  token: string,
): Promise<{ proof: Proof; user: User } | undefined> {
  const proof = await proofs.find(purpose, token)
  const user = proof && (await proofs.findHolder(proof))
  return proof && user && { proof, user }
}

/** @throws KeywardError `validation_failed` unless the client sent either a token, or a code with its challenge id */
export function requireShown({ token, challengeId, code }: Shown): void {
  const hasCode = typeof challengeId === 'string' && typeof code === 'string'
  if ((typeof token === 'string') === hasCode)
    throw invalidField('token', 'Send either token, or challenge_id and code')
}

/**
 * Finds the proof of a token or of a code. Each call with a code uses up one of the tries of the code.
 * @throws KeywardError `invalid_or_expired`; `rate_limited` for a code; `validation_failed` as in `requireShown`
 */
export async function findShown(
  { proofs }: Pick<VerificationNeeds, 'proofs'>,
  purpose: ProofPurpose,
  { token, challengeId, code }: Shown,
  from: { ip: string },
): Promise<Proof> {
  requireShown({ token, challengeId, code })
  const proof =
    typeof token === 'string'
      ? await proofs.find(purpose, token)
      : await proofs.checkCode(purpose, { id: challengeId!, code: code! }, from)
  if (!proof) throw new KeywardError('invalid_or_expired')
  return proof
}
