import { readFile } from 'node:fs/promises'
import type { SentMessageInfo, Transporter } from 'nodemailer'
import { SECOND } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import type { SmtpServer } from '../../lib/smtp-url.ts'
import { MailFailure, type Outgoing, type Transport } from './transport.ts'

/** The most connections to the mail server. */
const CONNECTIONS = 8
/** Most mail servers close a connection after a number of mails; 100 is Postfix's default. */
const MAILS_PER_CONNECTION = 100

/**
 * Sends mails over SMTP (RFC 5321). With `starttls` no mail and no password is sent before TLS. The server's
 * certificate must be valid for its name.
 * @param from the `From` of every mail: an address, or `Name <address>`
 */
export function createSmtp({ server, from }: { server: SmtpServer; from: string }): Transport {
  let transporter: Promise<Transporter> | undefined
  return {
    async send(mail) {
      try {
        // After a failure, such as a missing file of certificates, the next mail tries again.
        transporter ??= connect(server).catch((error: unknown) => {
          transporter = undefined
          throw error
        })

        const info: SentMessageInfo = await (await transporter).sendMail(messageOf(mail, from))
        if (info.rejected?.length) throw new MailFailure('the recipient was refused', ofMail)
      } catch (error) {
        throw failureOf(error, server.auth?.pass)
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
  // The package is loaded with the first mail, because a start does not need it.
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
  // The envelope decides who gets the mail. It does not come from the parsing of a header.
  envelope: { from: addressIn(from), to: [to] },
  messageId: `<${id}@${addressIn(from).split('@')[1]}>`,
  subject,
  text,
  html,
  headers: {
    // RFC 3834 section 5: no automatic answers, please.
    'Auto-Submitted': 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
  },
})

/** The address of `Name <address>`, or the address itself. */
const addressIn = (from: string): string => /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from

const ofMail = { isFinal: true, isOfServer: false }

/** The facts of an error of nodemailer. `responseCode` is the reply of the server, `command` what it replied to. */
interface SmtpError extends Error {
  code?: string
  responseCode?: number
  command?: string
}

/** @param secret the password, which some servers repeat in their reply */
function failureOf(error: unknown, secret: string | undefined): MailFailure {
  if (error instanceof MailFailure) return error
  const { message, code, responseCode, command = '' } = error as SmtpError
  const isOfServer = !(code === 'EENVELOPE' || code === 'EMESSAGE') || command === 'MAIL FROM'
  const isFinal = !isOfServer && responseCode !== undefined && responseCode >= 500
  const shown = secret ? message.replaceAll(secret, '********') : message
  const text = printable(shown.split('\n')[0] ?? '').slice(0, 300)
  return new MailFailure([code, text].filter(Boolean).join(': '), { isFinal, isOfServer })
}
