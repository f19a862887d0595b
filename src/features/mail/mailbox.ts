import type { Log } from '../../lib/log.ts'
import type { Outgoing, Transport } from './transport.ts'

/** The mails of `--dev` without a mail server: they stay in memory, and nobody gets them. */
export interface Mailbox extends Transport {
  /** The newest mails first. */
  list(): readonly Outgoing[]
}

/** How many mails are kept. */
const SIZE = 100

export function createMailbox(log: Pick<Log, 'info'>): Mailbox {
  const mails: Outgoing[] = []
  return {
    async send(mail) {
      mails.unshift(mail)
      mails.length = Math.min(mails.length, SIZE)
      log.info('mail', { to: mail.to, subject: mail.subject, text: mail.text })
    },
    list: () => mails,
    async close() {},
  }
}
