import { afterEach, expect, test } from 'bun:test'
import { HOUR, MINUTE } from '../../src/lib/clock.ts'
import type { TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { reply, type SmtpOptions, type SmtpSink, startSmtp } from '../support/smtp.ts'
import { forgot, linkIn, linkStart, logIn, mailEnv, reset, resetToken, tokenIn } from './support.ts'

const open: SmtpSink[] = []
afterEach(async () => {
  for (const sink of open.splice(0)) await sink.close()
})

describeEachDialect('the reset of a password', (dialect) => {
  const apps = appsPerTest()

  async function withMail(options: SmtpOptions = {}, more: TestAppOptions = {}) {
    const sink = await startSmtp(options)
    open.push(sink)
    const app = await apps.open({ dialect, ...more, env: { ...mailEnv(sink), ...more.env } })
    return { sink, app }
  }
  const errorOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]

  test('13.6 the link of a mail sets a new password, ends every session, and logs nobody in', async () => {
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

  test('13.4 H2, war story 23: a newer link, a use, a password change and the end of all sessions void a link', async () => {
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

  test('13.4 H6: a link of another purpose is refused', async () => {
    const { sink, app } = await withMail()
    const { id } = await app.signUp('ada')
    for (const kind of ['verify_email', 'log_in', 'confirm_address', 'address_changed'] as const)
      await app.process.notify(kind, id)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(4)
    const proofs = await app.rows.proofs.all()
    expect(proofs).toHaveLength(4)
    const links = sink.received.map(linkIn).filter(Boolean)
    expect(links.map((link) => new URL(link).pathname).sort()).toEqual(['/base/confirm', '/base/undo', '/base/verify'])
    for (const link of links) {
      const token = new URL(link).searchParams.get('token')
      expect(await errorOf(await reset(app, token))).toEqual([400, 'invalid_or_expired'])
    }
    expect(await app.rows.proofs.all()).toEqual(proofs)
  })

  test('13.4 H7, war story 22: the link begins with PUBLIC_URL, whatever the request says of hosts', async () => {
    const { sink, app } = await withMail()
    const { email } = await app.signUp('ada')
    for (const headers of [
      { host: 'evil.example' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', 'x-forwarded-prefix': '/evil' },
      { forwarded: 'for=192.0.2.9;host=evil.example;proto=http' },
      { 'x-original-url': 'https://evil.example/', 'x-rewrite-url': '/evil', origin: 'https://evil.example' },
    ] as Record<string, string>[])
      expect((await forgot(app, email, headers)).status).toBe(202)
    await app.fetch(
      new Request('http://evil.example/password/forgot', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email }),
      }),
    )
    await app.process.deliverMail()
    expect(sink.received.length).toBeGreaterThan(0)
    for (const mail of sink.received) {
      expect(linkIn(mail)).toStartWith(`${linkStart}reset?`)
      expect(mail.raw).not.toContain('evil')
    }
  })

  test('13.7 H8, war stories 21, 25 and 26: an address that a mailer could read as another is 422, and no mail goes out', async () => {
    const { sink, app } = await withMail()
    const { email } = await app.signUp('ada')
    await app.signUp('eve')
    const typed = [
      [email, 'eve@example.com'],
      { address: email },
      null,
      7,
      '',
      `${email},eve@example.com`,
      `${email};eve@example.com`,
      `${email} eve@example.com`,
      `${email}\r\nBcc: eve@example.com`,
      `${email}\nBcc: eve@example.com`,
      `${email}%0aBcc: eve@example.com`,
      `Ada <${email}>`,
      `=?utf-8?q?eve=40example.com?=${email}`,
      '=?utf-8?q?ada?=@example.com',
      '"ada@example.com,eve"@example.com',
      'ada(comment)@example.com',
      'ada\uff20example.com',
      'ada\uff20evil.example@example.com',
      'ada@example.com\u3002evil.example@',
      'ada@ex\u00adample.com',
    ]
    for (const address of typed) expect([address, (await forgot(app, address)).status]).toEqual([address, 422])
    const twice = [`{"email":"${email}","email":"eve@example.com"}`, `{"email":["${email}"],"email":"eve@example.com"}`]
    for (const body of twice) {
      const answer = await app.request('POST', '/password/forgot', { body, type: 'application/json' })
      expect([body, answer.status >= 400 && answer.status < 500]).toEqual([body, true])
    }
    const form = `email=${email}&email=eve@example.com`
    const asForm = await app.request('POST', '/password/forgot', { form })
    expect(asForm.status).toBe(415)
    await app.process.deliverMail()
    expect(await app.rows.mails.count()).toBe(0)
    expect(sink.received).toHaveLength(0)
  })

  test('13.7 war story 25: the mail goes to the stored address, not to the one that was typed', async () => {
    const { sink, app } = await withMail()
    await app.admin.createUser({ email: 'Ada@example.com', username: 'ada', password: 'correct horse battery' })
    expect((await forgot(app, 'aDA@EXAMPLE.com')).status).toBe(202)
    await app.process.deliverMail()
    expect(sink.received.map(({ to }) => to)).toEqual([['Ada@example.com']])
  })

  test('13.7 war story 20: no step goes without the token of the mail', async () => {
    const { app } = await withMail()
    const { password, email } = await app.signUp('ada')
    await forgot(app, email)
    await app.process.deliverMail()
    const proof = await app.rows.proofs.one()
    const tokens = [
      undefined,
      null,
      '',
      [],
      [''],
      {},
      0,
      true,
      'kwm_',
      proof.id,
      proof.tokenMac,
      `kwm_${proof.tokenMac}`,
    ]
    for (const token of [...tokens, 'kwm_'.padEnd(47, 'A'), ' '.repeat(47)]) {
      const { status } = await reset(app, token)
      expect([token, status === 400 || status === 422]).toEqual([token, true])
    }
    expect((await logIn(app, 'ada', password)).status).toBe(200)
  })

  test('13.4 H5: token and code are nowhere in the database in the clear, nor in the log', async () => {
    let isDown = true
    const { sink, app } = await withMail({ at: (stage) => (stage === 'connect' && isDown ? 'drop' : undefined) })
    const { id, email } = await app.signUp('ada')
    await forgot(app, email)
    await app.process.notify('log_in', id)
    await app.process.deliverMail()
    const everything = async () =>
      JSON.stringify([
        await app.rows.mails.all(),
        await app.rows.proofs.all(),
        await app.rows.auditEvents.all(),
        await app.rows.limits.all(),
      ]) + app.logs.join('\n')
    const whileQueued = await everything()
    isDown = false
    await app.clock.advance(MINUTE)
    await app.process.deliverMail()
    const texts = sink.received.map(({ message }) => message.text!)
    expect(texts).toHaveLength(2)
    const token = tokenIn(sink.received.find(({ message }) => message.subject?.includes('password'))!)
    const code = /^\d{6}$/m.exec(texts.find((text) => text.includes('code'))!)![0]
    for (const stored of [whileQueued, await everything()]) {
      expect(stored).not.toContain(token)
      expect(stored).not.toContain(token.slice(4, 24))
      expect(stored).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`))
    }
    expect((await app.rows.mails.all()).map(({ state, sealed, details }) => [state, sealed, details])).toEqual(
      Array(2).fill(['sent', null, '{}']),
    )
    expect((await reset(app, token)).status).toBe(204)
    expect(await everything()).not.toContain(token)
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
