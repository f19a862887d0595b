import { KeywardError } from '../../errors.ts'
import type { InvitationsNeeds, InvitedBy } from './invitations.ts'

/** Implements `Invitations.send`. */
export async function send({ mails, audit }: InvitationsNeeds, userId: number, by: InvitedBy): Promise<void> {
  await mails.notify('invitation', userId, {})
  await audit.record({ event: 'user.invited', userId, ...by })
}

/** Implements `Invitations.sendAgain`. */
export async function sendAgain(needs: InvitationsNeeds, userId: number, by: InvitedBy): Promise<void> {
  const { users, proofs } = needs
  if (!(await users.renewInvitation({ id: userId, by: by.actorId ?? null }))) throw new KeywardError('not_invited')
  await proofs.voidAll(userId)
  await send(needs, userId, by)
}
