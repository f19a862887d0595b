import { expect, test } from 'bun:test'
import { DAY, HOUR } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'

const password = 'correct horse battery'
const home = '192.0.2.7'

describeEachDialect('the mail about a new device', (dialect) => {
  const apps = appsPerTest()
  const settings = {
    SMTP_URL: 'smtp://127.0.0.1:9?tls=none',
    MAIL_FROM: 'no-reply@example.com',
    TRUSTED_PROXIES: '192.0.2.1',
  }

  async function open(env: Record<string, string> = settings, statements?: string[]) {
    const replace = statements && { store: watchStatements((sql) => void statements.push(sql)) }
    const app = await apps.open({ dialect, env, ...(replace && { replace }) })
    const json = { email: 'ada@example.com', username: 'ada', password, locale: 'de' }
    expect((await app.request('POST', '/register', { json, headers: from(home) })).status).toBe(201)
    return app
  }

  const from = (ip: string): Record<string, string> => ({
    'x-forwarded-for': ip,
    'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  })

  async function logIn(app: TestApp, ip: string, device_token?: string): Promise<string> {
    const form = { username: 'ada', password, ...(device_token && { device_token }) }
    const answer = await app.request('POST', '/token', { form, headers: from(ip) })
    expect(answer.status).toBe(200)
    return ((await answer.json()) as { device_token: string }).device_token
  }

  test('13.6 is queued when neither device nor network is known, with device, address and time', async () => {
    const app = await open()
    await logIn(app, home)
    // The first login.
    expect(await app.rows.mails.count()).toBe(0)
    await logIn(app, '203.0.113.9')
    const mail = await app.rows.mails.one()
    expect(mail).toMatchObject({ kind: 'new_device', recipient: 'ada@example.com', locale: 'de', state: 'queued' })
    expect(JSON.parse(mail.details)).toMatchObject({ ip: '203.0.113.9', device: 'Firefox on Linux' })
    expect(JSON.parse(mail.details).time).toContain('(UTC)')
  })

  test('13.6 is not queued for a known device, nor for a known network', async () => {
    const app = await open()
    const device = await logIn(app, home)
    await logIn(app, '203.0.113.9', device)
    await logIn(app, '203.0.113.9')
    await logIn(app, home)
    expect(await app.rows.mails.count()).toBe(0)
  })

  test('13.6 is queued once in 24 hours, also when logins run at once', async () => {
    const app = await open()
    await logIn(app, home)
    await Promise.all([1, 2, 3, 4].map((n) => logIn(app, `203.0.113.${n}`)))
    expect(await app.rows.mails.count()).toBe(1)
    await app.clock.advance(DAY - HOUR)
    await logIn(app, '203.0.113.11')
    expect(await app.rows.mails.count()).toBe(1)
    await app.clock.advance(2 * HOUR)
    await logIn(app, '203.0.113.12')
    expect(await app.rows.mails.count()).toBe(2)
  })

  test('13.6 is not queued by a refused login', async () => {
    const app = await open()
    await logIn(app, home)
    await app.admin.deactivate((await app.rows.users.one()).id)
    const form = { username: 'ada', password }
    expect((await app.request('POST', '/token', { form, headers: from('203.0.113.9') })).status).toBe(401)
    expect(await app.rows.mails.count()).toBe(0)
  })

  test('13.6 costs a login with a known device no statement, nor any login without a mail server', async () => {
    const statements: string[] = []
    const app = await open(settings, statements)
    const device = await logIn(app, home)
    statements.length = 0
    await logIn(app, '203.0.113.9', device)
    expect(statements.filter((sql) => sql.includes('mails'))).toEqual([])
    const without: string[] = []
    const off = await open({ TRUSTED_PROXIES: '192.0.2.1' }, without)
    await logIn(off, home)
    await logIn(off, '203.0.113.9')
    expect(without.filter((sql) => sql.includes('mails'))).toEqual([])
  })
})
