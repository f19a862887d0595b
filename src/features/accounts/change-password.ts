import { invalidField, KeywardError } from '../../errors.ts'
import { accountWrite } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import { nameKeysOf } from '../users/users.ts'
import type { AccountsNeeds } from './accounts.ts'
import { requireFreshFactor } from './fresh.ts'
import { reserveGuess } from './guess-limits.ts'

export interface PasswordChange {
  currentPassword: string
  newPassword: string
  ip: string
  /** The client's network, for limits and the hash gate. */
  client: string
}

export async function changePassword(
  needs: AccountsNeeds,
  caller: SessionCaller,
  { currentPassword, newPassword, ip, client }: PasswordChange,
): Promise<void> {
  const { store: db, audit, users, passwords, limits, sessions, mails } = needs
  const { user, userId, sessionId } = caller
  const weakness = passwords.weaknessOf(newPassword, user)
  if (weakness) throw invalidField('new_password', weakness)
  const name = nameKeysOf(user).usernameKey
  // The place in the limit `account.write` is reserved before the password is hashed. After a wrong password,
  // `await using` gives this place back, and the attempt counts as a failed login instead.
  await using change = await limits.reserve([accountWrite(userId)], { userId, ip })
  await using reservation = await reserveGuess(needs, { user, name, client, ip })
  const requester = { client, name: limits.nameKey(name) }
  const stored = await users.findPassword(userId)
  const { ok } = await passwords.verify(currentPassword, stored, requester)
  if (!ok || !stored?.hash) {
    await reservation.keep()
    await audit.record({ event: 'password.change_refused', userId, sessionId, ip })
    throw new KeywardError('invalid_password')
  }
  // After the password was checked: a copied token must not tell how old the check of the factor is.
  await requireFreshFactor(needs, caller)
  const verifiedHash = stored.hash
  const { hash, scheme } = await passwords.hash(newPassword, requester)
  await db.transaction(
    async () => {
      if (!(await users.replacePassword({ id: userId, verifiedHash, hash, scheme })))
        throw new KeywardError('invalid_password')
      await sessions.endAll({ userId, keep: sessionId, reason: 'password_changed' })
      await sessions.forgetKnown({ userId, keep: { sessionId, ip } })
      await audit.record({ event: 'password.changed', userId, sessionId, ip })
      await mails.notify('password_changed', userId, { ip })
      await reservation.giveBack()
    },
    { userId },
  )
  change.keep()
}
