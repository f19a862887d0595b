import { expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { standIn } from '../support/replace.ts'
import { limited, password, tally } from './support.ts'

describeEachDialect('registration', (dialect) => {
  const apps = appsPerTest()
  let app: TestApp
  const passwords = standIn<'passwords'>()
  const open = async (env: Record<string, string> = {}) => {
    app = await apps.open(limited({ dialect, env, replace: { passwords: passwords.replacement } }))
  }
  const register = (username: string, { domain = 'example.com', peer = '198.51.100.1', email = '' } = {}) =>
    app.request('POST', '/register', { json: { email: email || `${username}@${domain}`, username, password }, peer })
  const statusesOf = async (count: number, name: string, peer?: string) =>
    tally(
      (await Promise.all(Array.from({ length: count }, (_, i) => register(`${name}${i}`, { peer })))).map(
        (r) => r.status,
      ),
    )

  test('allows forty at once from one network, then one every 90 seconds', async () => {
    await open({ HASH_MAX_WAIT_MS: '60000' })
    const peer = '198.51.100.2'
    // One by one, because the hash queue would refuse some of a hundred in parallel.
    for (let i = 0; i < 40; i++) expect((await register(`one${i}`, { peer })).status).toBe(201)
    const refused = await register('late', { peer })
    await expectRefusal(refused, 'rate_limited')
    expect(refused.headers.get('retry-after')).toBe('90')
    await app.clock.advance(90 * SECOND)
    expect((await register('late', { peer })).status).toBe(201)
    expect((await register('elsewhere', { peer: '203.0.113.1' })).status).toBe(201)
  })

  test('of a hundred in parallel never exceeds the limit', async () => {
    await open({ LIMITS: 'register.prefix=6/1h' })
    const statuses = await statusesOf(100, 'burst')
    expect(statuses[201]).toBe(6)
    expect(await app.rows.users.count()).toBe(6)
  })

  test('counts a taken name, but not invalid input or an overload', async () => {
    await open({ LIMITS: 'register.prefix=3/1h' })
    expect((await register('ada')).status).toBe(201)
    for (let i = 0; i < 9; i++) expect((await register('x')).status).toBe(422)
    passwords.change({ hash: () => Promise.reject(new KeywardError('overloaded', { retryAfter: 1 })) })
    for (let i = 0; i < 9; i++) expect((await register(`shed${i}`)).status).toBe(503)
    passwords.restore()
    expect((await register('ada')).status).toBe(409)
    expect((await register('ada2', { email: 'ADA@example.com' })).status).toBe(409)
    expect((await register('bea')).status).toBe(429)
    await app.clock.advance(HOUR + MINUTE)
    expect((await register('bea')).status).toBe(201)
  })

  test('is refused with REGISTRATION=closed; the command line can still create users', async () => {
    await open({ REGISTRATION: 'closed' })
    for (const name of ['ada', 'x']) await expectRefusal(await register(name), 'registration_closed')
    const made = await keyward(['users', 'create', '--email', 'ada@example.com', '--username', 'ada'], {
      databaseUrl: app.databaseUrl,
      env: { REGISTRATION: 'closed', BCRYPT_COST: '10' },
      secret: password,
    })
    expect(made).toMatchObject({ code: 0 })
    const login = await app.request('POST', '/token', { form: { username: 'ada', password } })
    expect(login.status).toBe(200)
  })

  test('is refused for domains in EMAIL_DOMAINS_BLOCKED and their subdomains', async () => {
    await open({ EMAIL_DOMAINS_BLOCKED: 'mailinator.com,xn--bcher-kva.example' })
    for (const domain of ['mailinator.com', 'MAILINATOR.com', 'eu.mailinator.com', 'bücher.example']) {
      const problem = await expectRefusal(await register('ada', { domain }), 'validation_failed')
      expect(problem.errors).toMatchObject([{ field: 'email' }])
    }
    for (const [i, domain] of ['example.com', 'notmailinator.com', 'mailinator.com.example'].entries())
      expect((await register(`user${i}`, { domain })).status).toBe(201)
  })

  test('is allowed only for domains in EMAIL_DOMAINS_ALLOWED, except their blocked subdomains', async () => {
    await open({ EMAIL_DOMAINS_ALLOWED: 'example.com,example.org', EMAIL_DOMAINS_BLOCKED: 'guests.example.com' })
    for (const [i, domain] of ['example.com', 'eu.example.com', 'example.org'].entries())
      expect((await register(`user${i}`, { domain })).status).toBe(201)
    for (const domain of ['example.net', 'guests.example.com', 'x.guests.example.com', 'badexample.com'])
      expect((await register('eve', { domain })).status).toBe(422)
  })
})
