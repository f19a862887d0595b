import { afterEach, expect } from 'bun:test'
import type { SignedUp, TestApp, TestAppOptions } from '../support/app.ts'
import type { Dialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { type Received, type SmtpOptions, type SmtpSink, startSmtp } from '../support/smtp.ts'

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

export const tokenIn = (mail: Received): string => /[?&]token=([\w-]+)/.exec(linkIn(mail))?.[1] ?? ''

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

/** Opens apps that send to a mail server of their own; both are closed after the test. */
export function appsWithMail() {
  const apps = appsPerTest()
  const sinks: SmtpSink[] = []
  afterEach(async () => {
    for (const sink of sinks.splice(0)) await sink.close()
  })
  return async (dialect: Dialect, { smtp = {}, ...options }: TestAppOptions & { smtp?: SmtpOptions } = {}) => {
    const sink = await startSmtp(smtp)
    sinks.push(sink)
    const app = await apps.open({ dialect, ...options, env: { ...mailEnv(sink), ...options.env } })
    return { sink, app }
  }
}

/** The code of a mail, which stands on a line of its own. */
export const codeIn = ({ message }: Received): string => /^\d{6}$/m.exec(message.text ?? '')?.[0] ?? ''

/** Status and `code` of a refusal. */
export const errorOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]

export const patch = (app: TestApp, token: string, json: object) => app.request('PATCH', '/users/me', { token, json })
export const confirm = (app: TestApp, token: unknown, bearer?: string) =>
  app.request('POST', '/email/change/confirm', { json: { token }, ...(bearer !== undefined && { token: bearer }) })
export const undo = (app: TestApp, token: unknown) => app.request('POST', '/email/undo', { json: { token } })
export const register = (app: TestApp, email: string, username: string) =>
  app.request('POST', '/register', { json: { email, username, password: 'correct horse battery' } })

/** The newest mail to an address. */
export function mailTo(sink: SmtpSink, address: string) {
  const mail = sink.received.findLast(({ to }) => to.includes(address))
  if (!mail) throw new Error(`no mail to ${address}`)
  return mail
}

/** Asks for another address, and returns the token of the mail that arrives there. */
export async function askForAddress(app: TestApp, sink: SmtpSink, bearer: string, email: string): Promise<string> {
  expect((await patch(app, bearer, { email })).status).toBe(200)
  await app.process.deliverMail()
  return tokenIn(mailTo(sink, email))
}

/** Changes an address. @returns the token of the link to undo it */
export async function changeAddress(
  app: TestApp,
  sink: SmtpSink,
  user: Pick<SignedUp, 'grant'>,
  from: string,
  to: string,
) {
  const bearer = user.grant.access_token
  const answer = await confirm(app, await askForAddress(app, sink, bearer, to), bearer)
  expect(answer.status).toBe(200)
  await app.process.deliverMail()
  return tokenIn(mailTo(sink, from))
}
