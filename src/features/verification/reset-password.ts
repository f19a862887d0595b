import { invalidField, KeywardError } from '../../errors.ts'
import { knownAccount } from '../limits/limits.ts'
import { noteFirstProof } from './first-proof.ts'
import { findByToken } from './shown.ts'
import type { VerificationNeeds } from './verification.ts'

export interface PasswordReset {
  token: string
  password: string
  /** The client's network, for the hash gate. */
  client: string
  ip: string
}

export async function resetPassword(
  needs: VerificationNeeds,
  { token, password, client, ip }: PasswordReset,
): Promise<void> {
  const { store: db, audit, users, passwords, limits, sessions, proofs, mails } = needs
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
      if (!(await noteFirstProof(needs, { userId, ip }))) {
        await sessions.endAll({ userId, reason: 'password_reset' })
        await sessions.forgetKnown({ userId })
      }
      await limits.refill(knownAccount(userId))
      await audit.record({ event: 'password.reset', userId, ip })
      await mails.notify('password_changed', userId, { ip })
    },
    { userId },
  )
}
