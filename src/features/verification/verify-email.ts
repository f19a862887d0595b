import { invalidField, KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Proof } from '../proofs/proofs.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import { choosePassword } from './new-password.ts'
import { findShown, requireShown, type Shown } from './shown.ts'
import type { VerificationNeeds } from './verification.ts'

/**
 * A proof of an address, and evidence that its reader owns the account: `password`, `newPassword` or `caller`. The
 * proof alone is not enough: somebody else may have made the account with this address, and would still know the
 * password.
 */
export interface AddressProof extends Shown {
  /** The password of the account. */
  password?: string | null
  /** Replaces the password of the account. */
  newPassword?: string | null
  /** Replaces the username of a pending registration, for example because another user has taken it meanwhile. */
  username?: string | null
  /** The language of the request, for the account of a pending registration. */
  locale?: Locale
  /** A live session of the account. */
  caller?: SessionCaller
  /** The client's network, for limits and the hash gate. */
  client: string
  ip: string
}

export async function verifyEmail(needs: VerificationNeeds, given: AddressProof): Promise<User> {
  const { store: db, audit, users, accounts, proofs } = needs
  const { password, newPassword, username, caller, client, ip } = given
  requireShown(given)
  // This check comes before `findShown`, because `findShown` uses up a try of a code.
  if (typeof password !== 'string' && typeof newPassword !== 'string' && !caller)
    throw new KeywardError('proof_required')
  const proof = await findShown(needs, 'verify_email', given, { ip })
  if (proof.subject !== null) return complete(needs, given, proof)
  const user = await proofs.findHolder(proof)
  if (!user) throw new KeywardError('invalid_or_expired')
  if (typeof username === 'string') throw invalidField('username', 'Your account has a username already')
  const userId = user.id
  if (user.emailVerifiedAt !== null) throw new KeywardError('invalid_or_expired')
  if (typeof newPassword === 'string')
    await choosePassword(needs, { proof, user, password: newPassword, field: 'new_password', client, ip })
  else {
    if (typeof password === 'string') await accounts.checkPassword({ user }, { password, client, ip })
    else if (caller?.userId !== userId) throw new KeywardError('proof_required')
    await db.transaction(
      async () => {
        if (!(await proofs.redeem(proof))) throw new KeywardError('invalid_or_expired')
        if (!(await users.setEmailVerified(userId))) throw new KeywardError('invalid_or_expired')
        await audit.record({ event: 'email.verified', userId, ip })
      },
      { userId },
    )
  }
  const verified = await users.find(userId)
  if (!verified) throw new KeywardError('invalid_or_expired')
  return verified
}

/** Creates the account of a pending registration. `caller` is ignored: a registration has no sessions yet. */
function complete(
  { proofs, accounts }: VerificationNeeds,
  { password, newPassword, username, locale, client, ip }: AddressProof,
  proof: Proof,
): Promise<User> {
  const completion = { id: proof.subject!, password, newPassword, username, locale, client, ip }
  return accounts.completeRegistration(completion, async () => {
    if ((await proofs.redeem(proof)) !== 'none') throw new KeywardError('invalid_or_expired')
  })
}
