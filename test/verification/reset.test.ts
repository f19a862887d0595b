import { expect, test } from 'bun:test'
import { HOUR, MINUTE } from '../../src/lib/clock.ts'
import type { TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { reply, type SmtpOptions } from '../support/smtp.ts'
import { appsWithMail, errorOf, forgot, linkIn, logIn, mailEnv, reset, resetToken, tokenIn } from './support.ts'

describeEachDialect('the reset of a password', (dialect) => {
  const apps = appsPerTest()
  const open = appsWithMail()
  const withMail = (smtp: SmtpOptions = {}, more: TestAppOptions = {}) => open(dialect, { smtp, ...more })

  test('13.6 H10: the link of a mail sets a new password, ends every session, and logs nobody in', async () => {
    const { sink, app } = await withMail()
    const { grant, password, email, id } = await app.signUp('ada')
    const asked = await forgot(app, ` ${email.toUpperCase()}\t`)
    expect(asked.status).toBe(202)
    expect(await asked.json()).toEqual({ message: 'If an account has this address, a mail is on its way' })
    await app.process.deliverMail()
    const [mail] = sink.received
    expect(mail!.to).toEqual([email])
    expect(mail!.message.subject).toBe('Choose a new password for Example')
    expect(mail!.message.text).toContain('Hello ada,')
    expect(linkIn(mail!)).toMatch(/^https:\/\/auth\.example\.com\/base\/reset\?token=kwm_[\w-]{43}$/)
    const answer = await reset(app, tokenIn(mail!))
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    expect((await app.request('GET', '/users/me', { token: grant.access_token })).status).toBe(401)
    expect((await logIn(app, 'ada', password)).status).toBe(401)
    expect((await logIn(app, 'ada', 'a longer and better one')).status).toBe(200)
    expect((await app.rows.users.one({ id })).emailVerifiedAt).toBe(app.clock.now())
    await app.process.deliverMail()
    expect(sink.received.map(({ message }) => message.subject)).toContain('Your password for Example was changed')
    const events = (await app.rows.auditEvents.all({ userId: id })).map(({ event }) => event)
    expect(events).toContain('password.reset')
    expect(events).toContain('email.verified')
  })

  test('13.6 without a mail server the request is 503, whatever the address', async () => {
    const app = await apps.open({ dialect })
    for (const email of ['ada@example.com', 'no address'])
      expect(await errorOf(await forgot(app, email))).toEqual([503, 'mail_not_configured'])
    expect(await app.rows.mails.count()).toBe(0)
  })

  test('13.4 H1: of 24 parallel uses of one token, one works', async () => {
    const { sink, app } = await withMail()
    const { email } = await app.signUp('ada')
    const token = await resetToken(app, sink, email)
    const passwords = Array.from({ length: 24 }, (_, i) => `a longer and better one ${i}`)
    const answers = await Promise.all(passwords.map((password) => reset(app, token, password)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 204)).toHaveLength(1)
    expect(statuses.filter((status) => status === 400)).toHaveLength(23)
    const logins = await Promise.all(passwords.map((password) => logIn(app, 'ada', password)))
    expect(logins.map(({ status }) => status === 200)).toEqual(statuses.map((status) => status === 204))
  })

  test('13.4 H2: war story 23, a newer link, a use, a password change and the end of all sessions void a link', async () => {
    const { sink, app } = await withMail()
    const { email, id, grant } = await app.signUp('ada')
    const void_ = async (token: string) =>
      expect(await errorOf(await reset(app, token))).toEqual([400, 'invalid_or_expired'])
    const first = await resetToken(app, sink, email)
    const second = await resetToken(app, sink, email)
    expect(second).not.toBe(first)
    await void_(first)
    await app.admin.setPassword(id, 'yet another good one')
    await void_(second)
    const third = await resetToken(app, sink, email)
    expect((await reset(app, third)).status).toBe(204)
    await void_(third)
    const login = (await (await logIn(app, 'ada', 'a longer and better one')).json()) as typeof grant
    const fourth = await resetToken(app, sink, email)
    expect((await app.request('DELETE', '/users/me/sessions', { token: login.access_token })).status).toBe(204)
    await void_(fourth)
    const fifth = await resetToken(app, sink, email)
    await app.admin.deactivate(id)
    await void_(fifth)
    await app.admin.activate(id)
    await void_(fifth)
  })

  test('13.4 H3: a link works for 30 minutes, and not a millisecond more', async () => {
    const { sink, app } = await withMail()
    const { email } = await app.signUp('ada')
    const first = await resetToken(app, sink, email)
    await app.clock.advance(30 * MINUTE)
    expect(await errorOf(await reset(app, first))).toEqual([400, 'invalid_or_expired'])
    const second = await resetToken(app, sink, email)
    await app.clock.advance(30 * MINUTE - 1)
    expect((await reset(app, second)).status).toBe(204)
  })

  test('13.6 a refused password leaves the link good', async () => {
    const { sink, app } = await withMail()
    const { email } = await app.signUp('ada')
    const token = await resetToken(app, sink, email)
    for (const password of ['short', 'password', email, '', 'x'.repeat(300)])
      expect((await reset(app, token, password)).status).toBe(422)
    expect((await reset(app, token)).status).toBe(204)
  })

  test('13.6 an address without an account, and one of an inactive account, get the same answer and no mail', async () => {
    const { sink, app } = await withMail()
    const { id, email } = await app.signUp('ada')
    const known = await forgot(app, email)
    await app.admin.deactivate(id)
    const answers = [known, await forgot(app, 'nobody@example.com'), await forgot(app, email)]
    const shown = await Promise.all(
      answers.map(async (answer) => {
        const headers = [...answer.headers].filter(([name]) => name !== 'x-request-id')
        return [answer.status, headers, await answer.text()]
      }),
    )
    expect(shown[1]).toEqual(shown[0]!)
    expect(shown[2]).toEqual(shown[0]!)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(0)
    expect((await app.rows.mails.all()).map(({ state }) => state)).toEqual(['dropped', 'dropped', 'dropped'])
    expect(await app.rows.proofs.all()).toMatchObject(Array(3).fill({ userId: null, subject: null, tokenMac: null }))
  })

  test('13.1 H15: while the mail server is away the answer is the same, and the mail arrives once afterwards', async () => {
    let isDown = true
    const { sink, app } = await withMail({ at: (stage) => (stage === 'mail' && isDown ? 'drop' : undefined) })
    const { email } = await app.signUp('ada')
    expect((await forgot(app, email)).status).toBe(202)
    await app.process.deliverMail()
    const first = await app.rows.proofs.one()
    expect(sink.received).toHaveLength(0)
    isDown = false
    await app.clock.advance(2 * MINUTE)
    await app.process.deliverMail()
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    // The second attempt has sent the token that the first attempt made.
    expect(await app.rows.proofs.all()).toEqual([first])
    expect((await reset(app, tokenIn(sink.received[0]!))).status).toBe(204)
  })

  test('13.1 a mail whose link has expired, was used or was replaced is given up, and not sent again', async () => {
    let isDown = true
    const { sink, app } = await withMail({ at: (stage) => (stage === 'mail' && isDown ? reply451() : undefined) })
    const { email } = await app.signUp('ada')
    await forgot(app, email)
    await app.process.deliverMail()
    await app.clock.advance(HOUR)
    isDown = false
    await app.process.deliverMail()
    const expired = await app.rows.mails.one()
    expect(expired).toMatchObject({ state: 'dead', error: 'its link had expired' })
    expect(await app.process.resendMail(expired.id)).toBe('expired')
    isDown = true
    await forgot(app, email)
    await app.process.deliverMail()
    const old = await app.rows.mails.one({ state: 'queued' })
    isDown = false
    const token = await resetToken(app, sink, email)
    await app.clock.advance(MINUTE)
    await app.process.deliverMail()
    expect(await app.rows.mails.one({ id: old.id })).toMatchObject({ state: 'dead' })
    expect(await app.process.resendMail(old.id)).toBe('expired')
    expect(sink.received).toHaveLength(1)
    expect((await reset(app, token)).status).toBe(204)
    await app.clock.advance(HOUR)
    await app.process.cleanUp()
    expect((await app.rows.mails.all()).every(({ sealed }) => sealed === null)).toBe(true)
    expect(await app.rows.proofs.count()).toBe(0)
  })

  test('13.1 a dead mail can be sent again while its link lives', async () => {
    let refuses = true
    const { sink, app } = await withMail({ at: (stage) => (stage === 'rcpt' && refuses ? reply550() : undefined) })
    const { email } = await app.signUp('ada')
    await forgot(app, email)
    await app.process.deliverMail()
    const { id } = await app.rows.mails.one({ state: 'dead' })
    refuses = false
    expect(await app.process.resendMail(id)).toBe('queued')
    await app.process.deliverMail()
    expect((await reset(app, tokenIn(sink.received[0]!))).status).toBe(204)
  })

  test('13.1 two replicas send one mail, with one token', async () => {
    const { sink, app } = await withMail()
    const second = await apps.open({ databaseUrl: app.databaseUrl, clock: app.clock, env: mailEnv(sink) })
    for (const name of ['ada', 'bob', 'cyd', 'dan']) await forgot(app, (await app.signUp(name)).email)
    await Promise.all([app, second, app, second].map(({ process }) => process.deliverMail()))
    expect(sink.received).toHaveLength(4)
    expect(await app.rows.proofs.count()).toBe(4)
    for (const mail of [...sink.received]) expect((await reset(second, tokenIn(mail))).status).toBe(204)
  })
})

const reply451 = () => reply(451, 'later')
const reply550 = () => reply(550, 'no such mailbox')
