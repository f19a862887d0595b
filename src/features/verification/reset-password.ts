import { invalidField, KeywardError } from '../../errors.ts'
import { knownAccount } from '../limits/limits.ts'
import type { Proof, ProofPurpose } from '../proofs/proofs.ts'
import type { User } from '../users/users.ts'
import type { VerificationNeeds } from './verification.ts'

export interface PasswordReset {
  token: string
  password: string
  /** The client's network, for the hash gate. */
  client: string
  ip: string
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

export async function resetPassword(
  needs: VerificationNeeds,
  { token, password, client, ip }: PasswordReset,
): Promise<void> {
  const { store: db, audit, users, passwords, limits, sessions, apiKeys, proofs, mails } = needs
  const found = await findByToken(needs, 'reset_password', token)
  if (!found) throw new KeywardError('invalid_or_expired')
  const { proof, user } = found
  const userId = user.id
  const weakness = passwords.weaknessOf(password, user)
  if (weakness) throw invalidField('password', weakness)
  const { hash, scheme } = await passwords.hash(password, { client })
  await db.transaction(
    async () => {
      if (!(await proofs.redeem(proof))) throw new KeywardError('invalid_or_expired')
      await users.setPassword({ id: userId, hash, scheme })
      await sessions.endAll({ userId, reason: 'password_reset' })
      await sessions.forgetKnown({ userId })
      // Whoever registered the account may not have been the owner of the address.
      if (await users.setEmailVerified(userId)) {
        await apiKeys.revokeOf(userId)
        await audit.record({ event: 'email.verified', userId, ip })
      }
      await limits.refill(knownAccount(userId))
      await audit.record({ event: 'password.reset', userId, ip })
      await mails.notify('password_changed', userId, { ip })
    },
    { userId },
  )
}
