import { KeywardError } from '../../errors.ts'
import type { ListedMail, MailFilter, MailState } from '../mail/mail.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, makeChange } from './change-user.ts'
import { type Page, pageOf } from './lists.ts'

/** What administrators do with the outbox. None of these shows a link, a code or a text. */
export interface MailAdministration {
  /** A page of mails, the newest first. */
  listMails(filter: MailFilter): Promise<Page<ListedMail, Pick<ListedMail, 'createdAt' | 'id'>>>
  /**
   * Queues a mail again that was given up. It goes to the same address, with the same link and code.
   * @returns the mail as it is now
   * @throws KeywardError `mail_not_found`; `mail_not_resendable` for a mail that was sent, is queued or is for nobody, or
   *   whose link can no longer be used; `mail_not_configured`; and the errors of `makeChange`
   */
  resendMail(actor: Actor, id: string): Promise<ListedMail>
}

export const mailAdministration = (needs: AdministrationNeeds): MailAdministration => ({
  listMails: (filter) =>
    pageOf(
      filter.limit,
      (most) => needs.mails.list({ ...filter, limit: most }),
      (mail) => mail,
    ),

  async resendMail(actor, id) {
    const { mails } = needs
    await makeChange(needs, actor, {
      permission: 'mail:write',
      plan: async () => {
        const { state } = await findMail(needs, id)
        if (state !== 'dead') throw notResendable(reasons[state])
        if (!mails.isOn) throw new KeywardError('mail_not_configured')
        return async () => {
          const outcome = await mails.resend(id, byOf(actor))
          if (outcome !== 'queued') throw notResendable('Its link can no longer be used: a new mail must be asked for')
        }
      },
    })
    return findMail(needs, id)
  },
})

const reasons: Record<Exclude<MailState, 'dead'>, string> = {
  sent: 'The mail was sent',
  queued: 'The mail is queued, and is sent by itself',
  dropped: 'Nobody gets this mail',
}

const notResendable = (sentence: string) => new KeywardError('mail_not_resendable', { sentence })

async function findMail({ mails }: AdministrationNeeds, id: string): Promise<ListedMail> {
  const mail = await mails.find(id)
  if (!mail) throw new KeywardError('mail_not_found')
  return mail
}
