import { KeywardError } from '../../errors.ts'
import { DAY } from '../../lib/clock.ts'
import { knownAccount } from '../limits/limits.ts'
import { tokenLifetimes } from '../proofs/proofs.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import { findByToken } from './shown.ts'
import type { VerificationNeeds } from './verification.ts'

/** The account before the change of its address, and the address that a link would give to the account. */
export interface NextAddress {
  user: User
  address: string
}

export interface AddressChange {
  token: string
  /** The caller's session. A session of this account stays alive; all others of the account end. */
  caller?: SessionCaller
  ip: string
}

export interface AddressUndo {
  token: string
  ip: string
}

export async function findForConfirm(
  needs: Pick<VerificationNeeds, 'proofs' | 'mails'>,
  token: string,
): Promise<NextAddress | undefined> {
  const found = await findByToken(needs, 'change_email', token)
  return found && { user: found.user, address: await addressOf(needs, found.proof) }
}

export async function findForUndo(
  needs: Pick<VerificationNeeds, 'proofs' | 'users'>,
  token: string,
): Promise<NextAddress | undefined> {
  const found = await findByToken(needs, 'undo_email', token)
  if (!found) return undefined
  const { user, proof } = found
  const owner = await needs.users.findAddressOwner(proof.addressKey)
  // The owner found for a key either has this address now, or has it reserved. The link restores only the second kind.
  const isReserved = owner?.user.id === user.id && user.email.toLowerCase() !== proof.addressKey
  return isReserved ? { user, address: owner.email } : undefined
}

export async function confirmEmail(needs: VerificationNeeds, { token, caller, ip }: AddressChange): Promise<User> {
  const { store: db, clock, audit, users, sessions, proofs, mails } = needs
  // The owner of the former address must get a mail with the link that undoes the change.
  if (!mails.isOn) throw new KeywardError('mail_not_configured')
  const found = await findByToken(needs, 'change_email', token)
  if (!found) throw new KeywardError('invalid_or_expired')
  const { proof, user } = found
  const userId = user.id
  const emailKey = proof.addressKey
  const email = await addressOf(needs, proof)
  const keep = caller?.userId === userId ? caller.sessionId : undefined
  const reservedUntil = clock.now() + tokenLifetimes.undo_email
  return db.transaction(
    async () => {
      if (!(await proofs.redeem(proof))) throw new KeywardError('invalid_or_expired')
      const former = await users.changeEmail({ id: userId, email, emailKey }, { reservedUntil })
      if (former === undefined) throw new KeywardError('invalid_or_expired')
      await proofs.voidAll(userId)
      await sessions.endAll({ userId, keep, reason: 'email_changed' })
      await audit.record({ event: 'email.changed', userId, ip })
      await mails.notify('address_changed', userId, { ip, address: email }, former)
      const changed = await users.find(userId)
      if (!changed) throw new KeywardError('invalid_or_expired')
      return changed
    },
    { userId },
  )
}

/**
 * How long before the change of the address a factor of the thief may have been added. Older factors stay: the former
 * mailbox alone is not enough for an account that has been protected by one.
 */
const RECENT_FACTORS = DAY

export async function undoEmail(needs: VerificationNeeds, { token, ip }: AddressUndo): Promise<void> {
  const { store: db, audit, users, sessions, apiKeys, identities, factors, proofs, mails, limits } = needs
  // The owner loses the password, and must get a mail with a link to choose a new one.
  if (!mails.isOn) throw new KeywardError('mail_not_configured')
  const found = await findByToken(needs, 'undo_email', token)
  if (!found) throw new KeywardError('invalid_or_expired')
  const { proof, user } = found
  const userId = user.id
  await db.transaction(
    async () => {
      // `restoreEmail` comes first because it locks the user's row. Every change of a user locks this row first, so two
      // changes cannot deadlock.
      const address = await users.restoreEmail({ id: userId, emailKey: proof.addressKey })
      if (address === undefined || !(await proofs.redeem(proof))) throw new KeywardError('invalid_or_expired')
      await users.dropPassword(userId)
      await sessions.endAll({ userId, reason: 'email_change_undone' })
      await sessions.forgetKnown({ userId })
      await apiKeys.revokeOf(userId)
      await identities.removeOf(userId)
      await factors.removeOf(userId, { ip, since: proof.createdAt - RECENT_FACTORS })
      await proofs.voidAll(userId)
      await limits.refill(knownAccount(userId))
      await audit.record({ event: 'email.change_undone', userId, ip })
      await mails.notify('address_restored', userId, {}, address)
    },
    { userId },
  )
}

/** The address of a proof as the user typed it: the recipient of the mail, or the lower-case key after a clean-up. */
async function addressOf(
  { mails }: Pick<VerificationNeeds, 'mails'>,
  { id, addressKey }: { id: string; addressKey: string },
): Promise<string> {
  const typed = (await mails.find(id))?.recipient
  return typed?.toLowerCase() === addressKey ? typed : addressKey
}
