import type { Log } from '../../lib/log.ts'
import type { Outgoing, Transport } from './transport.ts'

/** The transport of `--dev` without a mail server. The mails stay in memory and in the log, and are sent to nobody. */
export interface Mailbox extends Transport {
  /** The newest mails first. */
  list(): readonly Outgoing[]
}

/** The most mails in memory. A further mail replaces the oldest mail. */
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
