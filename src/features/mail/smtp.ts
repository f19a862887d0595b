import { readFile } from 'node:fs/promises'
import type { SentMessageInfo, Transporter } from 'nodemailer'
import { SECOND } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import type { SmtpServer } from '../../lib/smtp-url.ts'
import { MailFailure, type Outgoing, type Transport } from './transport.ts'

/** The most connections of one process to the mail server. */
const CONNECTIONS = 8
/**
 * After this number of mails, a new connection replaces the old one. Many mail servers limit the mails of a connection.
 */
const MAILS_PER_CONNECTION = 100

export interface SmtpTransport extends Transport {
  /**
   * Connects to the mail server, begins TLS, logs in if the address has a user, and sends no mail.
   * @throws MailFailure when one of these steps fails
   */
  check(): Promise<void>
}

/**
 * Sends mails over SMTP (RFC 5321). With `starttls`, neither a mail nor the password is sent before TLS begins. With
 * TLS, the certificate of the mail server must be valid for its host name.
 * @param from the `From` of every mail: an address, or `Name <address>`
 */
export function createSmtp({ server, from }: { server: SmtpServer; from: string }): SmtpTransport {
  let transporter: Promise<Transporter> | undefined
  return {
    async send(mail, signal) {
      try {
        // If `connect` fails, for example because the file of certificates is missing, the next mail calls it again.
        transporter ??= connect(server).catch((error: unknown) => {
          transporter = undefined
          throw error
        })

        const info: SentMessageInfo = await (await transporter).sendMail({
          ...messageOf(mail, from),
          ...(signal && { signal }),
        })
        if (info.rejected?.length) throw new MailFailure('the recipient was refused', ofMail)
      } catch (error) {
        throw failureOf(error, server.auth?.pass)
      }
    },
    async check() {
      let own: Transporter | undefined
      try {
        own = await connect(server)
        await own.verify()
      } catch (error) {
        throw failureOf(error, server.auth?.pass)
      } finally {
        own?.close()
      }
    },
    async close() {
      const open = transporter
      transporter = undefined
      const connected = await open?.catch(() => undefined)
      connected?.close()
    },
  }
}

async function connect({ host, port, tls, auth, ca }: SmtpServer): Promise<Transporter> {
  // nodemailer is loaded when the first mail is sent, so that a start does not wait for it.
  const { createTransport } = await import('nodemailer')
  const { rootCertificates } = await import('node:tls')
  const authorities = ca === undefined ? undefined : [...rootCertificates, await readFile(ca, 'utf8')]
  return createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(auth && { auth }),
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(authorities && { ca: authorities }) },
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: MAILS_PER_CONNECTION,
    connectionTimeout: 15 * SECOND,
    greetingTimeout: 15 * SECOND,
    socketTimeout: 60 * SECOND,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

const messageOf = ({ id, to, subject, text, html }: Outgoing, from: string) => ({
  from,
  to: { name: '', address: to },
  // The envelope decides who gets the mail. If it were missing, nodemailer would read the recipients from the headers.
  envelope: { from: addressIn(from), to: [to] },
  messageId: `<${id}@${addressIn(from).split('@')[1]}>`,
  subject,
  text,
  html,
  headers: {
    // These headers ask mail programs not to answer automatically: RFC 3834 section 5, and for Microsoft Exchange.
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
  },
})

/** Returns the address in `Name <address>`, or the whole text if there are no angle brackets. */
const addressIn = (from: string): string => /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from

const ofMail = { isFinal: true, isOfServer: false }

/**
 * An error of nodemailer. `responseCode` is the code of the mail server's reply, `command` the SMTP command to which
 * the mail server replied.
 */
interface SmtpError extends Error {
  code?: string
  responseCode?: number
  command?: string
}

/** @param secret the SMTP password, which the message hides, because some mail servers repeat it in their reply */
function failureOf(error: unknown, secret: string | undefined): MailFailure {
  if (error instanceof MailFailure) return error
  const { message, code, responseCode, command = '' } = error as SmtpError
  // 421: the mail server closes the connection (RFC 5321 section 3.8), whatever the mail is.
  const isOfMail = (code === 'EENVELOPE' || code === 'EMESSAGE') && command !== 'MAIL FROM' && responseCode !== 421
  const isOfServer = !isOfMail
  const isFinal = !isOfServer && responseCode !== undefined && responseCode >= 500
  const shown = secret ? message.replaceAll(secret, '********') : message
  const text = printable(shown.split('\n')[0] ?? '').slice(0, 300)
  return new MailFailure([code, text].filter(Boolean).join(': '), { isFinal, isOfServer })
}
