import { KeywardError } from '../../errors.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, changeUser } from './change-user.ts'

/** Implements `Administration.mailReset`. */
export async function mailReset(needs: AdministrationNeeds, actor: Actor, id: string): Promise<void> {
  const { mails, audit } = needs
  await changeUser(needs, actor, id, {
    permission: 'users:write',
    plan: async (user) => {
      if (!mails.isOn) throw new KeywardError('mail_not_configured')
      if (!user.isActive) throw new KeywardError('user_inactive')
      if (user.invitedAt !== null) throw new KeywardError('invitation_pending')
      return async () => {
        await mails.notify('reset_by_admin', user.id, {})
        await audit.record({ event: 'password.reset_mailed', userId: user.id, ...byOf(actor) })
      }
    },
  })
}
