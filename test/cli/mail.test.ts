import { afterEach, beforeEach, expect, test } from 'bun:test'
import { HOUR } from '../../src/lib/clock.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { reply, type SmtpSink, startSmtp } from '../support/smtp.ts'

describeEachDialect('keyward mail', (dialect) => {
  let sink: SmtpSink
  let app: TestApp
  let refuses: boolean
  let commands = 0
  beforeEach(async () => {
    refuses = false
    sink = await startSmtp({
      at: (stage) => (stage === 'rcpt' && refuses ? reply(550, 'no \u001b[2Jsuch mailbox') : undefined),
    })
    app = await createTestApp({ dialect, env: env() })
  })
  afterEach(async () => {
    await app.close()
    await sink.close()
  })

  const env = () => ({ SMTP_URL: `smtp://127.0.0.1:${sink.port}?tls=none`, MAIL_FROM: 'no-reply@example.com' })
  const run = (argv: string[], more: Record<string, string> = env()) =>
    keyward(['mail', ...argv, '--dev'], {
      databaseUrl: app.databaseUrl,
      clock: app.clock,
      seed: `command ${++commands}`,
      env: more,
    })

  test('13.1 test sends a mail at once, in any of the languages, and prints what the server says', async () => {
    const sent = await run(['test', 'ada@example.com', '--language', 'de'])
    expect([sent.code, sent.out]).toEqual([
      0,
      `smtp://127.0.0.1:${sink.port}?tls=none took the mail. Look whether it arrives at ada@example.com\n`,
    ])
    expect(sink.received[0]?.message.subject).toBe('E-Mails von Keyward kommen an')
    refuses = true
    const refused = await run(['test', 'ada@example.com'])
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('did not take the mail: EENVELOPE')
    expect(refused.err).toContain('550')
    expect(refused.err).not.toContain('\u001b')
    expect(await app.rows.mails.count()).toBe(0)
  })

  test('13.1 test says what is wrong with its arguments, and that mail is off', async () => {
    for (const [argv, message] of [
      [['test', 'ada'], 'The email address is not valid'],
      [['test', 'a@example.com,b@example.com'], 'The email address is not valid'],
      [['test', 'ada@example.com', '--language', 'xx'], '--language takes one of en, de, fr, es, ja'],
    ] as const) {
      const { code, err } = await run([...argv])
      expect([code, err]).toEqual([2, expect.stringContaining(message)])
    }
    const off = await run(['test', 'ada@example.com'], {})
    expect([off.code, off.err]).toEqual([1, 'Mail is off: set SMTP_URL and MAIL_FROM\n'])
  })

  test('13.1 list, show and resend follow a mail from queued over dead to sent, and never show its text', async () => {
    refuses = true
    const { id: user } = await app.signUp()
    await app.process.notify('password_changed', user)
    const { id } = await app.rows.mails.one()
    const queued = '2026-01-01 00:00:00Z'
    expect((await run(['list'])).out.split('\n')[1]).toBe(
      `${id}  ${queued}  queued  password_changed         0  ada@example.com  -`,
    )
    await app.process.deliverMail()
    expect((await run(['list', '--state', 'queued', '--json'])).out).toBe('')
    expect((await run(['list', '--state', 'dead', '--limit', '5'])).out).toContain(`${id}  ${queued}  dead `)
    const { out } = await run(['show', id])
    expect(out).toMatch(/^Kind: +password_changed\nTo: +ada@example\.com$/m)
    expect(out).toContain('550')
    expect(out).not.toContain('Hello')
    refuses = false
    expect((await run(['resend', id])).out).toBe(`Queued mail ${id} again\n`)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    expect((await run(['show', id])).out).toMatch(/^State: +sent$/m)
    expect((await run(['resend', id])).code).toBe(1)
    expect((await run(['show', 'x'])).err).toBe('There is no mail x\n')
    expect((await run(['list', '--state', 'x'])).err).toContain('--state takes one of queued, sent, dead, dropped')
  })

  test('13.1 list and show never show a link or a code, and resend refuses a mail whose link has expired', async () => {
    refuses = true
    const { id: user } = await app.signUp()
    await app.process.notify('log_in', user)
    await app.process.ask('log_in', 'nobody@example.com')
    await app.process.deliverMail()
    const { id, sealed } = await app.rows.mails.one({ state: 'dead' })
    const shown = (await run(['list'])).out + (await run(['show', id])).out
    expect(shown).not.toContain(sealed!)
    expect(shown).not.toMatch(/kwm_|token|(?<![\d:.-])\d{6}(?!\d)/)
    expect((await run(['list', '--state', 'dropped'])).out).toContain('nobody@example.com')
    refuses = false
    expect((await run(['resend', id])).out).toBe(`Queued mail ${id} again\n`)
    refuses = true
    await app.process.deliverMail()
    await app.clock.advance(HOUR)
    const late = await run(['resend', id])
    expect([late.code, late.err]).toEqual([
      1,
      `The link of mail ${id} can no longer be used; its reader must ask for a new mail\n`,
    ])
  })
})
