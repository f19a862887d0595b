import type { DraftConfig } from '../../config/schema.ts'
import { checkTemplates, createSmtp, MailFailure } from '../../features/mail/mail.ts'
import { type Finding, ok, problem, problemOf } from './finding.ts'

/** Logs in to the mail server without a mail, and reads the templates of mails. */
export async function checkMail({
  SMTP_URL: server,
  MAIL_FROM: from,
  TEMPLATES_DIR: folder,
}: Pick<DraftConfig, 'SMTP_URL' | 'MAIL_FROM' | 'TEMPLATES_DIR'>): Promise<Finding[]> {
  const findings = [await checkServer(server, from)]
  try {
    checkTemplates(folder)
  } catch (error) {
    findings.push(problemOf('mail', error, 'Correct the files in TEMPLATES_DIR.'))
  }
  return findings
}

async function checkServer(server: DraftConfig['SMTP_URL'], from: string | undefined): Promise<Finding> {
  if (!server || from === undefined) return ok('mail', 'Mail is off.')
  const smtp = createSmtp({ server, from })
  try {
    await smtp.check()
  } catch (error) {
    if (!(error instanceof MailFailure)) throw error
    const isLogin = error.message.startsWith('EAUTH')
    return problem('mail', {
      subject: 'SMTP_URL',
      message: `The mail server ${server.shown} cannot be used: ${error.message.replace(/\.$/, '')}.`,
      fix: isLogin
        ? 'Correct the user and the password in SMTP_URL; a reserved character is percent-encoded.'
        : 'Correct the host, the port and the kind of TLS in SMTP_URL, and look whether a firewall is in between.',
    })
  } finally {
    await smtp.close()
  }
  const login = server.auth ? ' and the user and password' : ''
  return ok('mail', `The mail server ${server.shown} took the connection${login}; no mail was sent.`)
}
