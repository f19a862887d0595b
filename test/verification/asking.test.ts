import { expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE } from '../../src/lib/clock.ts'
import type { TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'
import type { SmtpOptions } from '../support/smtp.ts'
import { appsWithMail, forgot, linkIn, mailEnv, reset, tokenIn } from './support.ts'

describeEachDialect('mails that people ask for', (dialect) => {
  const apps = appsPerTest()
  const open = appsWithMail()
  const withMail = (smtp: SmtpOptions = {}, more: TestAppOptions = {}) => open(dialect, { smtp, ...more })
  const limited = (options: SmtpOptions = {}) => withMail(options, { env: { RATE_LIMIT: 'on' } })
  const refusal = async (answer: Response) => [
    answer.status,
    answer.headers.get('ratelimit')?.split(';')[0],
    answer.headers.get('retry-after'),
    await answer.text(),
  ]

  test('13.1 C4: a known and an unknown address cost the same statements', async () => {
    let seen: string[] = []
    const { app } = await withMail(
      {},
      { env: { RATE_LIMIT: 'on' }, replace: { store: watchStatements((sql) => seen.push(sql)) } },
    )
    const { email } = await app.signUp('ada')
    const statementsOf = async (address: string) => {
      seen = []
      expect((await forgot(app, address)).status).toBe(202)
      return seen
    }
    const known = await statementsOf(email)
    const unknown = await statementsOf('nobody@example.com')
    expect(known.length).toBeGreaterThan(0)
    expect(unknown).toEqual(known)
    expect(known.some((sql) => /from "users"/.test(sql))).toBe(false)
    expect(known.filter((sql) => /insert into "mails"/.test(sql))).toHaveLength(1)
  })

  test('13.1 one mail of a kind in a minute, to an address with or without an account, in any spelling', async () => {
    const { app } = await limited()
    const { email } = await app.signUp('ada')
    const ofUnknown = (await forgot(app, 'nobody@example.com')).status
    expect([(await forgot(app, email)).status, ofUnknown]).toEqual([202, 202])
    const known = await refusal(await forgot(app, ` ${email.toUpperCase()}`, {}, '198.51.100.7'))
    expect(known.slice(0, 3)).toEqual([429, '"mail.again"', '60'])
    expect(await refusal(await forgot(app, 'NOBODY@example.com', {}, '198.51.100.7'))).toEqual(known)
    await app.clock.advance(MINUTE)
    expect((await forgot(app, email)).status).toBe(202)
  })

  test('13.1 five mails in an hour and ten in a day to one address', async () => {
    const { app } = await limited()
    const ask = async () => {
      await app.clock.advance(MINUTE)
      return forgot(app, 'ada@example.com', {}, `198.51.100.${Math.floor(app.clock.now() / MINUTE) % 250}`)
    }
    const statuses: number[] = []
    for (let i = 0; i < 8; i++) statuses.push((await ask()).status)
    expect(statuses.filter((status) => status === 202)).toHaveLength(5)
    expect((await refusal(await ask()))[1]).toBe('"mail.recipient"')
    let sent = 5
    for (let i = 0; i < 30; i++) {
      await app.clock.advance(20 * MINUTE)
      if ((await ask()).status === 202) sent++
    }
    // Ten places at first, and one more every 2.4 hours.
    expect(sent).toBeLessThanOrEqual(15)
  })

  test('13.1 thirty mails in an hour from one network, whatever the addresses', async () => {
    const { app } = await limited()
    const statuses: number[] = []
    for (let i = 0; i < 35; i++) statuses.push((await forgot(app, `a${i}@example.com`)).status)
    expect(statuses).toEqual([...Array(30).fill(202), ...Array(5).fill(429)])
    expect((await forgot(app, 'b@example.com', {}, '198.51.100.7')).status).toBe(202)
  })

  test('13.1 parallel requests for one address queue one mail', async () => {
    const { app } = await limited()
    const answers = await Promise.all(Array.from({ length: 12 }, () => forgot(app, 'ada@example.com')))
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
    expect(await app.rows.mails.count()).toBe(1)
  })

  test('13.1 a notice is sent however many mails strangers asked for', async () => {
    const { sink, app } = await limited()
    const { id, email } = await app.signUp('ada')
    for (let i = 0; i < 10; i++) {
      await forgot(app, email, {}, `198.51.100.${i}`)
      await app.clock.advance(MINUTE)
    }
    await app.admin.setPassword(id, 'a longer and better one')
    await app.process.deliverMail()
    expect(sink.received.map(({ message }) => message.subject)).toContain('Your password for Example was changed')
  })

  test("13.3 the mail has the user's language, else that of the request, else English", async () => {
    const { sink, app } = await withMail()
    const register = async (username: string, headers: Record<string, string>, more = {}) =>
      app.request('POST', '/register', {
        json: { username, email: `${username}@example.com`, password: 'correct horse battery', ...more },
        headers,
      })
    await register('ada', {}, { locale: 'ja' })
    await register('bob', {})
    for (const [name, language] of [
      ['ada', 'de'],
      ['bob', 'fr-CA, en;q=0.5'],
      ['bob', 'tlh'],
    ] as const) {
      await forgot(app, `${name}@example.com`, { 'accept-language': language })
      await app.process.deliverMail()
    }
    expect(sink.received.map(({ message }) => message.subject)).toEqual([
      'Example の新しいパスワードを設定してください',
      'Choisissez un nouveau mot de passe pour Example',
      'Choose a new password for Example',
    ])
  })

  test('13.1 a process that ends between the proof and the sending: the next one sends the same token', async () => {
    const hung = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    let hangs = true
    const { sink, app } = await withMail({
      async at(stage) {
        if (stage !== 'mail' || !hangs) return undefined
        hangs = false
        hung.resolve()
        await goOn.promise
        return undefined
      },
    })
    const second = await apps.open({ databaseUrl: app.databaseUrl, clock: app.clock, env: mailEnv(sink) })
    const { email } = await app.signUp('ada')
    await forgot(app, email)
    const first = app.process.deliverMail()
    await hung.promise
    const { id } = await app.rows.mails.one()
    // The lease of the first process ends. Its mail server has said nothing yet.
    await app.rows.mails.change({ id }, { dueAt: app.clock.now() })
    await second.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    expect((await app.rows.mails.one()).attempts).toBe(2)
    goOn.resolve()
    await first
    const [one, two] = sink.received
    expect(tokenIn(two!)).toBe(tokenIn(one!))
    expect(two!.message.messageId).toBe(one!.message.messageId!)
    expect(await app.rows.proofs.count()).toBe(1)
    expect((await reset(app, tokenIn(one!))).status).toBe(204)
  })

  test('13.1 the secrets of a queued mail are sealed to its row: in another row they do not open', async () => {
    let isDown = true
    const { sink, app } = await withMail({ at: (stage) => (stage === 'mail' && isDown ? 'drop' : undefined) })
    for (const name of ['ada', 'bob']) await forgot(app, (await app.signUp(name)).email)
    await app.process.deliverMail()
    const [one, two] = await app.rows.mails.all()
    await app.rows.mails.change({ id: one!.id }, { sealed: two!.sealed })
    isDown = false
    await app.clock.advance(2 * MINUTE)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    expect(await app.rows.mails.one({ id: one!.id })).toMatchObject({ state: 'dead' })
  })

  test('13.1 a user who is deleted while a mail waits gets none, and no mail keeps the address', async () => {
    const { sink, app } = await withMail()
    const [ada, bob] = [await app.signUp('ada'), await app.signUp('bob')]
    await forgot(app, ada.email.toUpperCase())
    await app.admin.deleteUser(ada.id)
    await app.admin.deactivate(bob.id)
    await forgot(app, bob.email.toUpperCase())
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(0)
    expect((await app.rows.mails.one()).state).toBe('dropped')
    await app.admin.deleteUser(bob.id)
    expect(await app.rows.mails.count()).toBe(0)
  })

  test('13.5 with PAGES=off links lead to LINK_URL, and the link to log in always to LOGIN_URL', async () => {
    const env = {
      PAGES: 'off',
      LINK_URL: 'https://app.example.com/mail',
      LOGIN_URL: 'https://app.example.com/login/',
    }
    const { sink, app } = await withMail({}, { env })
    const { id } = await app.signUp('ada')
    for (const kind of ['verify_email', 'reset_password', 'log_in', 'confirm_address', 'address_changed'] as const)
      await app.process.notify(kind, id)
    await app.process.deliverMail()
    const links = sink.received.map((mail) => linkIn(mail).replace(/kwm_[\w-]{43}$/, 'TOKEN'))
    expect(links.sort()).toEqual([
      'https://app.example.com/login?token=TOKEN',
      'https://app.example.com/mail?kind=confirm&token=TOKEN',
      'https://app.example.com/mail?kind=reset&token=TOKEN',
      'https://app.example.com/mail?kind=undo&token=TOKEN',
      'https://app.example.com/mail?kind=verify&token=TOKEN',
    ])
  })

  test('13.4 H3: each kind has its own lifetime', async () => {
    const { app } = await withMail()
    const { id } = await app.signUp('ada')
    for (const kind of ['verify_email', 'reset_password', 'log_in', 'confirm_address', 'address_changed'] as const)
      await app.process.notify(kind, id)
    await app.process.deliverMail()
    const lifetimes = (await app.rows.proofs.all()).map(({ purpose, expiresAt, codeUntil, createdAt, epoch }) => [
      purpose,
      expiresAt - createdAt,
      codeUntil === null ? null : codeUntil - createdAt,
      epoch,
    ])
    expect(lifetimes.sort()).toEqual([
      ['change_email', DAY, null, 0],
      ['log_in', 30 * MINUTE, 10 * MINUTE, 0],
      ['reset_password', 30 * MINUTE, null, 0],
      ['undo_email', 72 * HOUR, null, null],
      ['verify_email', DAY, 10 * MINUTE, 0],
    ])
  })
})
