import type { VerificationNeeds } from './verification.ts'

/**
 * Notes that the address of a user is proved, in the current transaction. Until the first proof, somebody else may have
 * made the account with the address of another person. The first proof therefore ends all sessions, forgets known
 * devices and networks, revokes API keys, removes second factors, passkeys and linked identities, and voids other proofs
 * except `undo_email`. The caller of this function replaces or drops the password.
 * @returns false when the address was proved before; then nothing is changed
 */
export async function noteFirstProof(
  { audit, users, sessions, apiKeys, identities, factors, proofs }: VerificationNeeds,
  { userId, ip }: { userId: number; ip: string },
): Promise<boolean> {
  if (!(await users.setEmailVerified(userId))) return false
  await sessions.endAll({ userId, reason: 'email_verified' })
  await sessions.forgetKnown({ userId })
  await apiKeys.revokeOf(userId)
  await identities.removeOf(userId)
  // A passkey of who made the account would go on to log in alone, and their second factor would lock the owner out.
  await factors.removeOf(userId, { ip })
  await proofs.voidAll(userId)
  await audit.record({ event: 'email.verified', userId, ip })
  return true
}
