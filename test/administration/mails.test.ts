import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { HOUR } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest, describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { transactionGate, watchStatements } from '../support/replace.ts'
import { reply, type SmtpSink, startSmtp } from '../support/smtp.ts'
import { acts, answered, type Page, type Person, person } from './support.ts'

const ip = '192.0.2.1'

interface MailAnswer {
  id: string
  kind: string
  user_id: number | null
  recipient: string
  state: string
  attempts: number
  error: string | null
  [time: string]: unknown
}

type By = Pick<Person, 'token'>

const list = (app: TestApp, { token }: By, query = '') =>
  answered<Page<MailAnswer>>(app.request('GET', `/admin/mail${query}`, { token }))
const resend = (app: TestApp, { token }: By, id: string) => app.request('POST', `/admin/mail/${id}/resend`, { token })

/** What only the reader of a mail may know: its tokens and codes. */
const secret = /kwm_|(?<![\d:.-])\d{6}(?!\d)|"sealed/

let sink: SmtpSink
let refuses = false
const env: Record<string, string> = { MAIL_FROM: 'no-reply@example.com', EMAIL_LOGIN: 'on' }
beforeAll(async () => {
  sink = await startSmtp({ at: (stage) => (stage === 'rcpt' && refuses ? reply(550, 'no such mailbox') : undefined) })
  env.SMTP_URL = `smtp://127.0.0.1:${sink.port}?tls=none`
})
afterAll(() => sink.close())

describeEachDialect('the outbox over HTTP', (dialect) => {
  const app = appPerTest({ dialect, env })
  beforeEach(() => {
    refuses = true
    sink.received.length = 0
  })

  test('14.1 a mail is followed from queued over dead to sent, and sent again with the same link', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    await app.rows.mails.remove()
    await app.process.notify('reset_password', ada.id)
    const [queued] = (await list(app, boss)).items
    expect(queued).toEqual({
      id: expect.any(String),
      kind: 'reset_password',
      user_id: ada.id,
      recipient: 'ada@example.com',
      locale: 'en',
      state: 'queued',
      attempts: 0,
      created_at: '2026-01-01T00:00:00.000Z',
      next_attempt_at: '2026-01-01T00:00:00.000Z',
      ended_at: null,
      error: null,
    })
    const { id } = queued!
    await expectRefusal(await resend(app, boss, id), 'mail_not_resendable')
    await app.process.deliverMail()
    const [dead] = (await list(app, boss, '?state=dead')).items
    expect(dead).toMatchObject({ id, state: 'dead', attempts: 1, next_attempt_at: null })
    expect(dead!.error).toContain('550')
    expect((await list(app, boss, '?state=queued')).items).toEqual([])

    const stored = await app.rows.mails.one()
    expect(stored.sealed).not.toBeNull()
    refuses = false
    const again = await resend(app, boss, id)
    expect(again.headers.get('cache-control')).toBe('no-store')
    const shown = await answered<MailAnswer>(Promise.resolve(again), 202)
    expect(shown).toMatchObject({ id, state: 'queued', attempts: 0, error: null })
    expect(JSON.stringify([queued, dead, shown, await acts(app)])).not.toMatch(secret)
    await expectRefusal(await resend(app, boss, id), 'mail_not_resendable')
    await app.process.deliverMail()
    expect((await list(app, boss)).items).toMatchObject([{ id, state: 'sent' }])
    await expectRefusal(await resend(app, boss, id), 'mail_not_resendable')
    const [received] = sink.received
    const token = /token=(kwm_[\w-]+)/.exec(received!.message.text!)?.[1]
    const reset = { json: { token, password: 'another good horse' } }
    expect((await app.request('POST', '/password/reset', reset)).status).toBe(204)
    expect(await acts(app)).toEqual([
      { event: 'mail.resent', userId: ada.id, actorId: boss.id, ip, details: { mail: id, kind: 'reset_password' } },
    ])
  })

  test('14.1 a mail whose link expired, was used or replaced, or that is for nobody, is 409', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    await app.rows.mails.remove()
    await app.process.ask('log_in', 'nobody@example.com')
    await app.process.notify('reset_password', ada.id)
    await app.process.deliverMail()
    const [dropped] = (await list(app, boss, '?state=dropped')).items
    expect(dropped).toMatchObject({ recipient: 'nobody@example.com', user_id: null })
    const { id } = await app.rows.mails.one({ state: 'dead' })
    await app.rows.proofs.remove({ id })
    for (const one of [dropped!.id, id]) await expectRefusal(await resend(app, boss, one), 'mail_not_resendable')
    await app.process.notify('reset_password', ada.id)
    await app.process.deliverMail()
    const [late] = (await list(app, boss, '?state=dead&limit=1')).items
    await app.clock.advance(HOUR)
    const fresh = await person(app, 'fresh', 'mail:read mail:write')
    await expectRefusal(await resend(app, fresh, late!.id), 'mail_not_resendable')
    for (const none of ['none', 'x'.repeat(300)]) await expectRefusal(await resend(app, fresh, none), 'mail_not_found')
    expect(await acts(app)).toEqual([])
    expect(sink.received).toEqual([])
  })

  test('14.1 of two who send one mail again at the same moment, one gets 202 and one 409', async () => {
    const boss = await person(app, 'boss', 'admin')
    await app.process.notify('password_changed', boss.id)
    await app.process.deliverMail()
    const { id } = await app.rows.mails.one({ state: 'dead' })
    const statuses = await Promise.all([1, 2].map(async () => (await resend(app, boss, id)).status))
    expect(statuses.sort()).toEqual([202, 409])
    expect(await acts(app)).toHaveLength(1)
  })
})

describeEachDialect('a mail that is sent again twice', (dialect) => {
  const gate = transactionGate()
  const app = appPerTest({ dialect, env, replace: { store: gate.replacement } })
  beforeEach(() => {
    refuses = true
    sink.received.length = 0
  })

  test('14.1 goes out once: the second, which saw it dead before the first was done, queues nothing', async () => {
    const ada = await person(app, 'ada')
    await app.process.notify('password_changed', ada.id)
    await app.process.deliverMail()
    const { id } = await app.rows.mails.one({ state: 'dead' })
    refuses = false
    const late = await gate.pass(
      () => app.process.resendMail(id),
      async () => {
        expect(await app.process.resendMail(id)).toBe('queued')
        await app.process.deliverMail()
      },
    )
    expect([late, await app.rows.mails.one({ id })]).toMatchObject(['unknown', { state: 'sent' }])
    await app.process.deliverMail()
    expect(sink.received.filter(({ to }) => to.includes(ada.email))).toHaveLength(1)
    expect(await app.rows.auditEvents.count({ event: 'mail.resent' })).toBe(1)
  })
})

describeApp('the outbox without a mail server', {}, (app) => {
  test('O7: 14.1 paging while mails come and go neither misses nor repeats a mail that stood throughout', async () => {
    const boss = await person(app, 'boss', 'admin')
    const add = (at: number, createdAt: number, state = 'sent') =>
      app.rows.mails.add({
        id: `mail-${at}`,
        kind: 'test',
        recipient: 'a@example.com',
        locale: 'en',
        details: '{}',
        state,
        attempts: 1,
        dueAt: 0,
        createdAt,
        endedAt: 0,
      })
    // Four mails are of the same millisecond each.
    for (let at = 10; at < 30; at++) await add(at, 1000 + Math.floor(at / 4), at % 3 === 0 ? 'dead' : 'sent')
    const read = async (query: string, isChanging: boolean) => {
      const found: string[] = []
      let gone = 29
      for (let cursor: string | null = ''; cursor !== null; gone -= 2) {
        const page: Page<MailAnswer> = await list(app, boss, `?limit=3${query}${cursor && `&cursor=${cursor}`}`)
        expect(page.items.length).toBeLessThanOrEqual(3)
        found.push(...page.items.map(({ id }) => id))
        cursor = page.next_cursor
        if (!isChanging) continue
        await app.rows.mails.remove({ id: `mail-${gone}` })
        await add(gone + 100, 5000)
        await add(gone - 29, 500)
      }
      return found
    }
    const dead = ['mail-27', 'mail-24', 'mail-21', 'mail-18', 'mail-15', 'mail-12']
    expect(await read('&state=dead', false)).toEqual(dead)
    const found = await read('', true)
    expect(found).toEqual([...new Set(found)])
    for (let at = 10; at < 30; at += 2) expect(found).toContain(`mail-${at}`)
    for (const query of ['cursor=', 'cursor=1', 'cursor=1.%00', 'cursor=x.a', 'state=x', 'limit=101', 'q=a'])
      await expectRefusal(await app.request('GET', `/admin/mail?${query}`, { token: boss.token }), 'validation_failed')
    await expectRefusal(await resend(app, boss, 'mail-12'), 'mail_not_configured')
  })
})

const statements: string[] = []

describeEachDialect('the list of mails', (dialect) => {
  const store = watchStatements((sql) => void statements.push(sql))
  const app = appPerTest({ dialect, replace: { store } })

  test('P1, O7: 14.1 reads neither links nor texts, and no more rows than a page has', async () => {
    const boss = await person(app, 'boss', 'admin')
    statements.length = 0
    await list(app, boss, '?state=dead&cursor=5.a&limit=7')
    const read = statements.filter((sql) => sql.includes('from "mails"'))
    expect(read).toHaveLength(1)
    expect(read[0]).not.toMatch(/sealed|details/)
    expect(read[0]).toMatch(/\("mails"."created_at", "mails"."id"\) < .* limit /)
  })
})
