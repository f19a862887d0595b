import type { TestApp } from '../support/app.ts'
import type { Received, SmtpSink } from '../support/smtp.ts'

/** The settings of a service that sends to this server. Its links begin with `https://auth.example.com/base`. */
export const mailEnv = (sink: Pick<SmtpSink, 'port'>): Record<string, string> => ({
  SMTP_URL: `smtp://127.0.0.1:${sink.port}?tls=none`,
  MAIL_FROM: 'Example <no-reply@example.com>',
  APP_NAME: 'Example',
  SUPPORT_EMAIL: 'help@example.com',
  PUBLIC_URL: 'https://auth.example.com/base',
})

export const linkStart = 'https://auth.example.com/base/'

/** The link of a mail, which stands on a line of its own. */
export const linkIn = ({ message }: Received): string => /^https?:\S+$/m.exec(message.text ?? '')?.[0] ?? ''

export const tokenIn = (mail: Received): string => new URL(linkIn(mail)).searchParams.get('token') ?? ''

export const forgot = (app: TestApp, email: unknown, headers: Record<string, string> = {}, peer?: string) =>
  app.request('POST', '/password/forgot', { json: { email }, headers, ...(peer !== undefined && { peer }) })

export const reset = (app: TestApp, token: unknown, password: unknown = 'a longer and better one') =>
  app.request('POST', '/password/reset', { json: { token, password } })

export const logIn = (app: TestApp, username: string, password: string) =>
  app.request('POST', '/token', { form: { username, password } })

/** Asks for a reset, delivers, and returns the token of the mail that arrived. */
export async function resetToken(app: TestApp, sink: SmtpSink, email: string): Promise<string> {
  await forgot(app, email)
  await app.process.deliverMail()
  return tokenIn(sink.received.at(-1)!)
}
