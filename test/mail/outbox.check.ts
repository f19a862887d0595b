import { afterEach, expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { addressesOf, reply, type SmtpOptions, type SmtpSink, startSmtp } from '../support/smtp.ts'

const open: SmtpSink[] = []
afterEach(async () => {
  for (const sink of open.splice(0)) await sink.close()
})

describeEachDialect('the outbox', (dialect) => {
  const apps = appsPerTest()

  /** A service that sends to an SMTP server of the test. */
  async function withMail(options: SmtpOptions = {}, env: Record<string, string> = {}) {
    const sink = await startSmtp(options)
    open.push(sink)
    const app = await apps.open({ dialect, env: { ...mailEnv(sink), ...env } })
    return { sink, app }
  }

  async function changePassword(app: TestApp, name = 'ada', headers: Record<string, string> = {}) {
    const { grant, password } = await app.signUp(name)
    const answer = await app.request('PUT', '/users/me/password', {
      token: grant.access_token,
      json: { current_password: password, new_password: 'a longer and better one' },
      headers,
    })
    expect(answer.status).toBe(204)
  }

  if (dialect.name === 'postgresql')
    test('a mail that is sent again while the clean-up deletes old mails is kept', async () => {
      const sink = await startSmtp()
      open.push(sink)
      const app = await apps.open({ dialect, env: mailEnv(sink) })
      await changePassword(app)
      await app.rows.mails.change({}, { state: 'dead', endedAt: app.clock.now() })
      const { id } = await app.rows.mails.one()
      await app.clock.advance(14 * DAY + 1)
      const resent = Promise.withResolvers<void>()
      const sql = new Bun.SQL(app.databaseUrl, { max: 1 })
      const waits = () =>
        sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      const resending = app.process.transaction(async () => {
        await app.process.resendMail(id)
        resent.resolve()
        // Until the deletion has found the mail, and waits for the end of this transaction.
        while ((await waits()).length === 0);
      })
      await resent.promise
      await app.process.cleanUp()
      await resending
      await sql.close()
      expect(await app.rows.mails.one()).toMatchObject({ state: 'queued' })
    })

  test('13.1 a changed password is told to the owner, once, and only after the commit', async () => {
    const { sink, app } = await withMail()
    await changePassword(app)
    expect(await app.rows.mails.all()).toMatchObject([{ kind: 'password_changed', state: 'queued', attempts: 0 }])
    await app.process.deliverMail()
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    const [{ from, to, message }] = sink.received as [SmtpSink['received'][0]]
    expect({ from, to }).toEqual({ from: 'no-reply@example.com', to: ['ada@example.com'] })
    expect(addressesOf(message.to)).toEqual(['ada@example.com'])
    expect(message.subject).toBe('Your password for Example was changed')
    expect(message.text).toContain('Hello ada,')
    expect(message.text).toContain('IP address: 192.0.2.1')
    expect(message.text).toContain('help@example.com')
    expect(message.headers.get('auto-submitted')).toBe('auto-generated')
    expect(await app.rows.mails.all()).toMatchObject([{ state: 'sent', attempts: 1, details: '{}', error: null }])
  })

  test('13.1 a refused change queues no mail', async () => {
    const { app } = await withMail()
    const { grant } = await app.signUp()
    const answer = await app.request('PUT', '/users/me/password', {
      token: grant.access_token,
      json: { current_password: 'wrong password', new_password: 'a longer and better one' },
    })
    expect(answer.status).toBe(403)
    expect(await app.rows.mails.count()).toBe(0)
  })

  test('13.1 a reused refresh token is told to the owner once, however many come', async () => {
    const { sink, app } = await withMail()
    const { grant } = await app.signUp()
    const refresh = (token: string) => app.request('POST', '/token/refresh', { json: { refresh_token: token } })
    const second = (await (await refresh(grant.refresh_token!)).json()) as {
      refresh_token: string
      access_token: string
    }
    await app.request('GET', '/users/me', { token: second.access_token })
    const third = (await (await refresh(second.refresh_token)).json()) as { access_token: string }
    await app.request('GET', '/users/me', { token: third.access_token })
    await app.clock.advance(MINUTE)
    const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(grant.refresh_token!)))
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(401))
    await app.process.deliverMail()
    expect(sink.received.map(({ message }) => message.subject)).toEqual([
      'You were logged out of Example on one device',
    ])
  })

  test('13.1 a mail that the server refuses for now is sent later, after growing pauses, under one Message-ID', async () => {
    let refusals = 3
    const { sink, app } = await withMail({
      at: (stage) => (stage === 'after data' && refusals-- > 0 ? reply(451, 'try later') : undefined),
    })
    await changePassword(app)
    const pauses: number[] = []
    for (let attempt = 1; attempt <= 3; attempt++) {
      await app.process.deliverMail()
      const { dueAt, error } = await app.rows.mails.one()
      pauses.push((dueAt - app.clock.now()) / 1_000)
      expect(error).toContain('451')
      // Not before it is due.
      await app.process.deliverMail()
      expect((await app.rows.mails.one()).attempts).toBe(attempt)
      app.clock.setWall(dueAt)
    }
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    expect(await app.rows.mails.one()).toMatchObject({ state: 'sent', attempts: 4 })
    for (const [i, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(22.5 * 2 ** i)
      expect(pause).toBeLessThanOrEqual(37.5 * 2 ** i)
    }
  })

  test('13.1 a mail that the server refuses for good is dead at once, can be listed, and sent again', async () => {
    let refuses = true
    const { sink, app } = await withMail({
      at: (stage) => (stage === 'rcpt' && refuses ? reply(550, 'no such mailbox') : undefined),
    })
    await changePassword(app)
    await app.process.deliverMail()
    const dead = await app.rows.mails.one()
    expect(dead).toMatchObject({ state: 'dead', attempts: 1 })
    expect(dead.error).toContain('550')
    refuses = false
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(0)
    expect(await app.process.resendMail(dead.id)).toBe('queued')
    expect(await app.process.resendMail(dead.id)).toBe('unknown')
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    expect(await app.process.resendMail(dead.id)).toBe('unknown')
  })

  test('13.1 a mail is given up after MAIL_MAX_ATTEMPTS', async () => {
    const { sink, app } = await withMail(
      { at: (stage) => (stage === 'mail' ? reply(451, 'later') : undefined) },
      { MAIL_MAX_ATTEMPTS: '3' },
    )
    await changePassword(app)
    for (let attempt = 0; attempt < 5; attempt++) {
      await app.process.deliverMail()
      app.clock.setWall(app.clock.now() + 6 * HOUR)
    }
    expect(await app.rows.mails.one()).toMatchObject({ state: 'dead', attempts: 3 })
    expect(sink.received).toHaveLength(0)
  })

  for (const stage of ['mail', 'rcpt', 'data', 'after data'] as const)
    test(`13.1 a server that drops the connection (${stage}) gets the mail later`, async () => {
      let drops = true
      const { sink, app } = await withMail({ at: (at) => (at === stage && drops ? 'drop' : undefined) })
      await changePassword(app)
      await app.process.deliverMail()
      expect(await app.rows.mails.one()).toMatchObject({ state: 'queued', attempts: 1 })
      drops = false
      app.clock.setWall(app.clock.now() + MINUTE)
      await app.process.deliverMail()
      expect(await app.rows.mails.one()).toMatchObject({ state: 'sent' })
      const ids = new Set(sink.received.map(({ message }) => message.messageId))
      expect(ids.size).toBe(1)
    })

  test('13.1 two processes send each of many mails once', async () => {
    const { sink, app } = await withMail()
    const other = await apps.open({ dialect, databaseUrl: app.databaseUrl, clock: app.clock, env: mailEnv(sink) })
    const { id } = await app.signUp()
    for (let i = 0; i < 60; i++) await app.process.notify('password_changed', id)
    await Promise.all([app, other, app, other].map(({ process }) => process.deliverMail()))
    for (const { process } of [app, other]) await process.deliverMail()
    expect(sink.received).toHaveLength(60)
    expect(new Set(sink.received.map(({ message }) => message.messageId)).size).toBe(60)
    expect(await app.rows.mails.count({ state: 'sent' })).toBe(60)
  })

  test('13.1 the failure of an attempt that another process has overtaken changes nothing, its success does', async () => {
    let outcome: Error | undefined = reply(451, 'later')
    const later = 10 * MINUTE
    const { app } = await withMail({
      // While the mail server thinks, the lease ends, and another process takes the mail.
      async at(stage) {
        if (stage !== 'after data') return undefined
        const { id, attempts } = await app.rows.mails.one()
        await app.rows.mails.change({ id }, { attempts: attempts + 1, dueAt: app.clock.now() + later })
        return outcome
      },
    })
    await changePassword(app)
    await app.process.deliverMail()
    const overtaken = await app.rows.mails.one()
    expect(overtaken).toMatchObject({ state: 'queued', attempts: 2, dueAt: app.clock.now() + later, error: null })
    outcome = undefined
    app.clock.setWall(overtaken.dueAt)
    await app.process.deliverMail()
    expect(await app.rows.mails.one()).toMatchObject({ state: 'sent', attempts: 4 })
  })

  test('13.1 a mail whose process died is sent by another when the lease is over', async () => {
    const { sink, app } = await withMail()
    await changePassword(app)
    const { id } = await app.rows.mails.one()
    await app.rows.mails.change({ id }, { attempts: 1, dueAt: app.clock.now() + 5 * MINUTE })
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(0)
    app.clock.setWall(app.clock.now() + 5 * MINUTE)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
  })

  test('13.1 a server sends the waiting mails when it starts, and not only after the first period', async () => {
    const { sink, app } = await withMail()
    await changePassword(app)
    const jobs = app.process.startOwnJobs()
    await sink.arrived(1)
    await jobs.stop()
  })

  test('13.3 a mail is in the language of the registration, else of Accept-Language, else English', async () => {
    const { sink, app } = await withMail()
    const register = (name: string, locale: string | null, header?: string) =>
      app.request('POST', '/register', {
        json: {
          email: `${name}@example.com`,
          username: name,
          password: 'correct horse battery',
          ...(locale && { locale }),
        },
        headers: header ? { 'accept-language': header } : {},
      })
    expect((await register('a11', 'ja', 'de')).status).toBe(201)
    expect((await register('b22', null, 'pt-BR, fr-CA;q=0.8, en;q=0.5')).status).toBe(201)
    expect((await register('c33', null)).status).toBe(201)
    expect((await register('d44', 'xx')).status).toBe(422)
    for (const { id } of await app.rows.users.all()) await app.process.notify('password_changed', id)
    await app.process.deliverMail()
    const subjects = Object.fromEntries(sink.received.map(({ to, message }) => [to[0]?.[0], message.subject]))
    expect(subjects).toEqual({
      a: 'Example のパスワードが変更されました',
      b: 'Votre mot de passe pour Example a été modifié',
      c: 'Your password for Example was changed',
    })
  })

  test('13.1 mails of a deleted user are deleted with the user', async () => {
    const { sink, app } = await withMail()
    await changePassword(app)
    await app.admin.deleteUser((await app.rows.users.one()).id)
    expect(await app.rows.mails.count()).toBe(0)
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(0)
  })

  test('13.2 without SMTP_URL nothing is queued, and readiness says that mail is off', async () => {
    const app = await apps.open({ dialect })
    await changePassword(app)
    expect(await app.rows.mails.count()).toBe(0)
    const ready = await app.request('GET', '/readyz')
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', mail: 'off' }])
  })

  test('13.2 a mail server that cannot be reached stands in the answer of /readyz, which stays 200', async () => {
    const { sink, app } = await withMail()
    await sink.close()
    await changePassword(app)
    await app.process.deliverMail()
    const ready = await app.request('GET', '/readyz')
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', mail: 'failing' }])
  })
})

const mailEnv = ({ port }: SmtpSink): Record<string, string> => ({
  SMTP_URL: `smtp://127.0.0.1:${port}?tls=none`,
  MAIL_FROM: 'Example <no-reply@example.com>',
  APP_NAME: 'Example',
  SUPPORT_EMAIL: 'help@example.com',
})
