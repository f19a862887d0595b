import { expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { appsWithMail, codeIn, errorOf, logIn, reset, resetToken, tokenIn } from './support.ts'

const env = { EMAIL_LOGIN: 'on', LOGIN_URL: 'https://app.example.com/log-in' }
const post = (app: TestApp, path: string, json: object) => app.request('POST', path, { json })

/** What the mail that a request asks for holds. */
async function mailFor(app: TestApp, sink: SmtpSink, path: string, email: string) {
  const asked = (await (await post(app, path, { email })).json()) as { challenge_id?: string }
  await app.process.deliverMail()
  const mail = sink.received.at(-1)!
  return { token: tokenIn(mail), code: codeIn(mail), challenge_id: asked.challenge_id }
}

describeEachDialect('takeovers that other services had', (dialect) => {
  const withMail = appsWithMail()

  test('13.8 war story 13: a reset by the owner of an address ends what a stranger set who registered with it', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, password, id, grant } = await app.signUp('ada')
    await app.admin.giveRole(id, 'admin')
    const key = await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
    expect((await reset(app, await resetToken(app, sink, email))).status).toBe(204)
    expect((await logIn(app, 'ada', password)).status).toBe(401)
    expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(401)
    expect((await post(app, '/token/refresh', { refresh_token: grant.refresh_token })).status).toBe(401)
    expect((await app.request('POST', '/introspect', { token: key.text, form: { token: 'x' } })).status).toBe(401)
  })

  test('13.8 war story 14: the proof of an address logs nobody in, so not into the account of a stranger', async () => {
    const { app, sink } = await withMail(dialect)
    const { email, password, id } = await app.signUp('ada')
    const sessions = await app.rows.sessions.count({ userId: id })
    const { token } = await mailFor(app, sink, '/email/verification', email)
    // The owner of the address does not know the stranger's password, and the link alone does nothing.
    expect(await errorOf(await post(app, '/email/verify', { token }))).toEqual([400, 'proof_required'])
    const answer = await post(app, '/email/verify', { token, new_password: 'chosen by the owner of the address' })
    expect(Object.keys((await answer.json()) as object)).not.toContain('access_token')
    expect(answer.headers.has('set-cookie')).toBe(false)
    expect(await app.rows.sessions.count({ userId: id })).toBeLessThanOrEqual(sessions)
    expect((await logIn(app, 'ada', password)).status).toBe(401)
  })

  test('13.8 war story 19: no username looks like an address, so an address logs in to its owner only', async () => {
    const { app } = await withMail(dialect)
    const ada = await app.signUp('ada')
    const password = 'correct horse battery'
    for (const username of [ada.email, 'ADA@example.com', 'ada＠example.com', 'ada@'])
      expect(await errorOf(await post(app, '/register', { email: 'eve@example.com', username, password }))).toEqual([
        422,
        'validation_failed',
      ])
    const eve = await app.signUp('eve', 'quite another passphrase')
    const token = eve.grant.access_token
    const renamed = await app.request('PATCH', '/users/me', { token, json: { username: ada.email } })
    expect(await errorOf(renamed)).toEqual([422, 'validation_failed'])
    expect((await logIn(app, ada.email, 'quite another passphrase')).status).toBe(401)
    expect((await logIn(app, ada.email, ada.password)).status).toBe(200)
  })

  test('13.8 war story 26: a list of addresses is refused where a mail can be asked for, and nothing is sent', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email } = await app.signUp('ada')
    const lists = [
      `${email},eve@example.com`,
      `${email};eve@example.com`,
      `${email}\r\nBcc: eve@example.com`,
      `${email} eve@example.com`,
      [email, 'eve@example.com'],
      { 0: email },
    ]
    for (const path of ['/email/verification', '/login/email', '/password/forgot'])
      for (const list of lists)
        expect(await errorOf(await post(app, path, { email: list }))).toEqual([422, 'validation_failed'])
    await app.process.deliverMail()
    expect([sink.received.length, await app.rows.mails.count()]).toEqual([0, 0])
  })

  test('13.8 war story 27: what a mail lets one do cannot be done twice, and nothing else with it', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email, password } = await app.signUp('ada')
    const uses = {
      '/email/verify': (token: string) => ({ token, password }),
      '/password/reset': (token: string) => ({ token, password: 'a longer and better one' }),
      '/login/email/verify': (token: string) => ({ token }),
    }
    const asks = {
      '/email/verify': '/email/verification',
      '/login/email/verify': '/login/email',
      '/password/reset': '/password/forgot',
    } as const
    for (const own of Object.keys(asks) as (keyof typeof asks)[]) {
      const { token } = await mailFor(app, sink, asks[own], email)
      for (const [path, use] of Object.entries(uses))
        if (path !== own) expect(await errorOf(await post(app, path, use(token)))).toEqual([400, 'invalid_or_expired'])
      expect((await post(app, own, uses[own](token))).status).toBeLessThan(300)
      expect(await errorOf(await post(app, own, uses[own](token)))).toEqual([400, 'invalid_or_expired'])
    }
  })
})
