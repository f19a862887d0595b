import { invalidField, KeywardError } from '../../errors.ts'
import { knownAccount } from '../limits/limits.ts'
import type { Proof } from '../proofs/proofs.ts'
import type { User } from '../users/users.ts'
import { noteFirstProof } from './first-proof.ts'
import type { VerificationNeeds } from './verification.ts'

/** A password that somebody chooses with the proof of an address. */
export interface NewPassword {
  proof: Proof
  /** The holder of the proof. */
  user: User
  password: string
  /** The field of the request that has the password, for a refusal. */
  field: 'password' | 'new_password'
  /** The client's network, for the hash gate. */
  client: string
  ip: string
}

/**
 * Uses up a proof and replaces the password of its holder. All sessions end, and all known devices and networks are
 * forgotten. Also does what `noteFirstProof` does, if the address was not proved before.
 * @throws KeywardError `validation_failed` for a weak password, `overloaded` (the proof stays valid);
 *   `invalid_or_expired`
 */
export async function choosePassword(
  needs: VerificationNeeds,
  { proof, user, password, field, client, ip }: NewPassword,
): Promise<void> {
  const { store: db, audit, users, passwords, limits, sessions, proofs, mails } = needs
  const userId = user.id
  const weakness = passwords.weaknessOf(password, user)
  if (weakness) throw invalidField(field, weakness)
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
