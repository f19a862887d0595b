import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { passkeyLogin } from '../factors/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { appsWithMail, codeIn, errorOf, linkIn, logIn, tokenIn } from './support.ts'

const env = { EMAIL_LOGIN: 'on', LOGIN_URL: 'https://app.example.com/log-in' }
const ask = (app: TestApp, email: string) => app.request('POST', '/login/email', { json: { email } })
const enter = (app: TestApp, json: object) => app.request('POST', '/login/email/verify', { json })

async function mailFor(app: TestApp, sink: SmtpSink, email: string) {
  const { challenge_id, expires_in } = (await (await ask(app, email)).json()) as Record<string, string>
  await app.process.deliverMail()
  const mail = sink.received.at(-1)!
  return { token: tokenIn(mail), challenge_id, expires_in: Number(expires_in), code: codeIn(mail), mail }
}

describeEachDialect('a login by mail', (dialect) => {
  const withMail = appsWithMail()

  test('13.6 a code or a link begins a session, whose tokens say how', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email, id } = await app.signUp('ada')
    await app.rows.users.change({ id }, { emailVerifiedAt: 1 })
    const first = await mailFor(app, sink, email)
    expect(linkIn(first.mail)).toBe(`https://app.example.com/log-in?token=${first.token}`)
    expect(first.expires_in).toBe(1800)
    const answer = await enter(app, { challenge_id: first.challenge_id, code: first.code, scope: 'account' })
    expect(answer.status).toBe(200)
    const grant = (await answer.json()) as { access_token: string; refresh_token: string; device_token: string }
    const { device_token } = grant
    expect([typeof device_token, grant]).toMatchObject(['string', { token_type: 'bearer', scope: 'account' }])
    const claims = JSON.parse(Buffer.from(grant.access_token.split('.')[1]!, 'base64url').toString())
    expect(claims).toMatchObject({ sub: String(id), amr: ['email'], email_verified: true })
    const second = await mailFor(app, sink, email)
    const againAnswer = await enter(app, { token: second.token, device_token })
    expect(againAnswer.status).toBe(200)
    const again = (await againAnswer.json()) as typeof grant
    expect((await app.request('GET', '/users/me', { token: again.access_token })).status).toBe(200)
    const devices = await app.rows.devices.all({ userId: id })
    // The device of the password login and the device of both mailed logins.
    expect(devices).toHaveLength(2)
  })

  test('13.6 without EMAIL_LOGIN there is no such login, and without LOGIN_URL the mail has a code only', async () => {
    const { app: off } = await withMail(dialect)
    expect(await errorOf(await ask(off, 'ada@example.com'))).toEqual([404, 'not_found'])
    expect(await errorOf(await enter(off, { token: 'kwm_x' }))).toEqual([404, 'not_found'])
    const { app, sink } = await withMail(dialect, { env: { EMAIL_LOGIN: 'on' } })
    const { email } = await app.signUp('ada')
    const { mail, code, expires_in, challenge_id } = await mailFor(app, sink, email)
    expect([linkIn(mail), code]).toEqual(['', expect.stringMatching(/^\d{6}$/)])
    expect(mail.message.html).not.toContain('http')
    expect(expires_in).toBe(600)
    await app.clock.advance(expires_in * SECOND)
    expect(await errorOf(await enter(app, { challenge_id, code }))).toEqual([400, 'invalid_or_expired'])
  })

  test('13.8 H11: war story 13, the first login by mail drops password, sessions, API keys and factors that were set before', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email, password, id, grant } = await app.signUp('ada')
    await app.admin.giveRole(id, 'admin')
    const key = await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
    const passkey = await app.factors.addPasskey(id)
    await app.factors.addApp(id)
    const { challenge_id, code } = await mailFor(app, sink, email)
    const entered = (await (await enter(app, { challenge_id, code })).json()) as { access_token: string }
    expect((await app.request('GET', '/users/me', { token: entered.access_token })).status).toBe(200)
    expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(401)
    expect((await app.request('POST', '/introspect', { token: key.text, form: { token: 'x' } })).status).toBe(401)
    await expectRefusal(await passkeyLogin(app, passkey), 'unknown_passkey')
    expect((await logIn(app, 'ada', password)).status).toBe(401)
    expect(await app.rows.users.one({ id })).toMatchObject({ passwordHash: null, emailVerifiedAt: app.clock.now() })
  })

  test('13.6 a later login by mail leaves password and sessions alone', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email, password, id, grant } = await app.signUp('ada')
    await app.rows.users.change({ id }, { emailVerifiedAt: 1 })
    const { token } = await mailFor(app, sink, email)
    expect((await enter(app, { token })).status).toBe(200)
    expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(200)
    expect((await logIn(app, 'ada', password)).status).toBe(200)
  })

  test('13.4 H1: of 24 parallel logins with one mail, one works', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email } = await app.signUp('ada')
    const { token, challenge_id, code } = await mailFor(app, sink, email)
    const logins = Array.from({ length: 24 }, (_, n) => enter(app, n % 8 ? { token } : { challenge_id, code }))
    const statuses = (await Promise.all(logins)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 400)).toHaveLength(23)
  })

  test('13.4 a stranger who asks for mails to an address voids no code of its owner', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email } = await app.signUp('ada')
    const own = await mailFor(app, sink, email)
    const strangers = await mailFor(app, sink, email)
    for (let tries = 0; tries < 6; tries++) await enter(app, { challenge_id: strangers.challenge_id, code: 'wrong!' })
    expect((await enter(app, { challenge_id: own.challenge_id, code: own.code })).status).toBe(200)
  })

  test('13.4 H3, H6: the link works for 30 minutes, a token of another purpose never', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email, password } = await app.signUp('ada')
    const { token } = await mailFor(app, sink, email)
    for (const [path, json] of [
      ['/password/reset', { token, password: 'a longer and better one' }],
      ['/email/verify', { token, password }],
    ] as const)
      expect(await errorOf(await app.request('POST', path, { json }))).toEqual([400, 'invalid_or_expired'])
    await app.clock.advance(30 * MINUTE)
    expect(await errorOf(await enter(app, { token }))).toEqual([400, 'invalid_or_expired'])
  })

  test('13.6 nobody logs in to an account that was deactivated or whose sessions were ended after the mail', async () => {
    const { app, sink } = await withMail(dialect, { env })
    const { email, id } = await app.signUp('ada')
    const first = await mailFor(app, sink, email)
    await app.admin.deactivate(id)
    expect(await errorOf(await enter(app, { token: first.token }))).toEqual([400, 'invalid_or_expired'])
    await app.admin.activate(id)
    const second = await mailFor(app, sink, email)
    await app.admin.setPassword(id, 'a longer and better one')
    const { challenge_id, code } = second
    expect(await errorOf(await enter(app, { challenge_id, code }))).toEqual([400, 'invalid_or_expired'])
  })
})
