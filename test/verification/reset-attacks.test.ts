import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import type { TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import type { SmtpOptions } from '../support/smtp.ts'
import { appsWithMail, errorOf, forgot, linkIn, linkStart, logIn, reset, tokenIn } from './support.ts'

describeEachDialect('attacks on the reset of a password', (dialect) => {
  const open = appsWithMail()
  const withMail = (smtp: SmtpOptions = {}, more: TestAppOptions = {}) => open(dialect, { smtp, ...more })

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

  test('13.4 H7: war story 22, the link begins with PUBLIC_URL, whatever the request says of hosts', async () => {
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

  test('13.7 H8: war stories 21, 25 and 26, an address that a mailer could read as another is 422, and no mail goes out', async () => {
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
    const { sink, app } = await withMail({ at: (stage) => (stage === 'mail' && isDown ? 'drop' : undefined) })
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
    const waiting = await app.rows.mails.all()
    expect(waiting.map(({ state, sealed }) => [state, typeof sealed])).toEqual(Array(2).fill(['queued', 'string']))
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
})
