import { loggedIn } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { mailTo, tokenIn } from '../verification/support.ts'

export const newPassword = 'a longer and better one'

/** Asks for a new user as an administrator. */
export const addUser = (app: TestApp, token: string, json: object) =>
  app.request('POST', '/admin/users', { token, json })

export const inviteAgain = (app: TestApp, token: string, id: number) =>
  app.request('POST', `/admin/users/${id}/invitation`, { token })

export const accept = (app: TestApp, token: unknown, more: object = {}) =>
  app.request('POST', '/invitation/accept', { json: { token, password: newPassword, ...more } })

export const bob = { email: 'Bob@example.com', username: 'bob' }

export interface Invited {
  id: number
  /** The token of the mail. */
  token: string
}

/** Invites a user over HTTP, delivers the mail, and returns its token. */
export async function invite(app: TestApp, sink: SmtpSink, by: string, json: object = bob): Promise<Invited> {
  const answer = await addUser(app, by, json)
  if (answer.status !== 201) throw new Error(`invite: ${answer.status} ${await answer.text()}`)
  const { id, email } = (await answer.json()) as { id: number; email: string }
  await app.process.deliverMail()
  return { id, token: tokenIn(mailTo(sink, email)) }
}

/** The token of the last mail to an address, after delivery. */
export async function lastToken(app: TestApp, sink: SmtpSink, email: string): Promise<string> {
  await app.process.deliverMail()
  return tokenIn(mailTo(sink, email))
}

export const canLogIn = async (app: TestApp, username: string, password = newPassword): Promise<boolean> =>
  (await app.request('POST', '/token', { form: { username, password } })).status === 200

export const bearerOf = async (app: TestApp, username: string, password = newPassword): Promise<string> =>
  (await loggedIn(app, { username, password })).access_token
