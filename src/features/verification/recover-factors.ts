import { KeywardError } from '../../errors.ts'
import { findByToken } from './shown.ts'
import type { VerificationNeeds } from './verification.ts'

export interface FactorRecovery {
  /** The token of the mail that an administrator has let Keyward send. */
  token: string
  password: string
  /** The client's network, for limits and the hash gate. */
  client: string
  ip: string
}

/**
 * See `Verification.recoverFactors`. Neither half is enough: an administrator alone cannot read the mail, and who reads
 * the mail alone does not know the password.
 */
export async function recoverFactors(
  needs: VerificationNeeds,
  { token, password, client, ip }: FactorRecovery,
): Promise<void> {
  const { store: db, accounts, audit, factors, sessions, proofs, mails } = needs
  const found = await findByToken(needs, 'recover_factors', token)
  if (!found) throw new KeywardError('invalid_or_expired')
  const { proof, user } = found
  await accounts.checkPassword({ user }, { password, client, ip })
  const userId = user.id
  await db.transaction(
    async () => {
      // A password that was changed meanwhile has raised the session epoch, which voids the proof.
      if (!(await proofs.redeem(proof))) throw new KeywardError('invalid_or_expired')
      const removed = await factors.reset(user, 'all')
      await sessions.endAll({ userId, reason: 'factors_recovered' })
      await sessions.forgetKnown({ userId })
      await audit.record({ event: 'factor_recovery.finished', userId, ip, details: { factors: removed.join(' ') } })
      await mails.notify('factors_recovered', userId, { ip })
    },
    { userId },
  )
}
