import { invalidField, KeywardError } from '../../errors.ts'
import type { Proof, ProofPurpose } from '../proofs/proofs.ts'
import type { User } from '../users/users.ts'
import type { VerificationNeeds } from './verification.ts'

/** What a person shows of a mail: the token of its link, or its code. */
export interface Shown {
  token?: string | null
  /** The id that the answer to the request for the mail had. */
  challengeId?: string | null
  code?: string | null
}

/** Finds the proof of a token and its user. @returns undefined when the token does not count */
export async function findByToken(
  { proofs }: Pick<VerificationNeeds, 'proofs'>,
  purpose: ProofPurpose,
  token: string,
): Promise<{ proof: Proof; user: User } | undefined> {
  const proof = await proofs.find(purpose, token)
  const user = proof && (await proofs.findHolder(proof))
  return proof && user && { proof, user }
}

/** @throws KeywardError `validation_failed` unless there is either a token, or a code with its challenge */
export function requireShown({ token, challengeId, code }: Shown): void {
  const hasCode = typeof challengeId === 'string' && typeof code === 'string'
  if ((typeof token === 'string') === hasCode)
    throw invalidField('token', 'Send either token, or challenge_id and code')
}

/**
 * Finds the proof of a token, or of a code, which uses up one of the tries of the code.
 * @throws KeywardError `invalid_or_expired`, `rate_limited`; `validation_failed` when neither a token nor a code with
 *   its challenge is shown, or both
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
