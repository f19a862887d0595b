import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { expectRefusal } from '../support/refusal.ts'
import { type Bcrypt, passwordsWith, type Replace, standIn, watchStatements } from '../support/replace.ts'
import { attack, auditOf, type Guess, guess, guesses, limitedApp, password, tally, times } from './support.ts'

const home = '198.51.100.7'
const elsewhere = '203.0.113.9'

describeEachDialect('guessing passwords', (dialect) => {
  let app: TestApp
  let ada: SignedUp
  let isPlain = false
  const passwords = standIn<'passwords'>()
  async function open(env?: Record<string, string>, replace: Replace = { passwords: passwords.replacement }) {
    await app?.close()
    app = await limitedApp({ dialect, env, replace })
    isPlain = env === undefined
    // The owner's network is the test's own, 192.0.2.1.
    ada = await app.signUp('ada', password)
  }
  beforeEach(async () => {
    if (!isPlain) return open()
    for (const table of [app.rows.limits, app.rows.auditEvents, app.rows.users]) await table.remove()
    // Expires the cache of exhausted keys.
    await app.clock.advance(MINUTE)
    ada = await app.signUp('ada', password)
  })
  afterAll(() => app.close())
  const wrong = (count: number, one: Partial<Guess> = {}) =>
    guesses(app, count, { username: 'ada', peer: home, ...one })
  const right = (one: Partial<Guess> = {}) => guess(app, { username: 'ada', password, ...one })

  test('D1, D11: the fourth wrong password in a row is 429, with Retry-After and the exceeded limit', async () => {
    expect(await wrong(3)).toEqual(times(3, 401))
    const response = await app.request('POST', '/token', { form: { username: 'ada', password }, peer: home })
    const problem = await expectRefusal(response, 'rate_limited')
    expect(problem).toMatchObject({ status: 429, error: 'temporarily_unavailable' })
    expect(response.headers.get('retry-after')).toBe('20')
    expect(response.headers.get('ratelimit')).toBe('"login.name_prefix";r=0;t=20')
    expect(response.headers.get('ratelimit-policy')).toBe('"login.name_prefix";q=3;w=60')
  })

  test('waits grow: 20 seconds, then 12 minutes, then 144 minutes', async () => {
    const waits: number[] = []
    for (let guessed = 0; guessed < 25; ) {
      const { status, retryAfter } = await guess(app, { username: 'ada', peer: home })
      if (status === 401) guessed++
      else {
        waits.push(retryAfter)
        // One second less is refused, the promised second is not.
        await app.clock.advance((retryAfter - 1) * SECOND)
        expect((await guess(app, { username: 'ada', peer: home })).status).toBe(429)
        await app.clock.advance(SECOND)
      }
    }
    expect(waits[0]).toBe(20)
    expect(waits).toEqual(waits.toSorted((a, b) => a - b))
    expect(waits.filter((wait) => wait === 12 * 60).length).toBeGreaterThan(2)
    expect(waits.at(-1)).toBe(144 * 60)
    // Two days later all limits are restored.
    await app.clock.advance(2 * DAY)
    expect(await wrong(4)).toEqual([...times(3, 401), 429])
  })

  test('a refused attempt is not counted, so a client that waits for Retry-After is not refused again', async () => {
    await wrong(3)
    expect(tally(await wrong(200))).toEqual({ 429: 200 })
    await app.clock.advance(20 * SECOND)
    expect((await right({ peer: home })).status).toBe(200)
    // Nor did they count for the network.
    expect(await guesses(app, 3, { username: 'nobody', peer: home })).toEqual(times(3, 401))
  })

  test('D2: every spelling of a name and every route share one count, and both names share that of the user', async () => {
    const token = ada.grant.access_token
    const change = async (current: string) => {
      const json = { current_password: current, new_password: 'another good one' }
      return (await app.request('PUT', '/users/me/password', { json, token, peer: home })).status
    }
    expect(await wrong(1)).toEqual([401])
    expect(await wrong(1, { username: 'ADA', path: '/user/token' })).toEqual([401])
    expect(await change('wrong')).toBe(403)
    expect(await wrong(1)).toEqual([429])
    expect(await wrong(1, { username: 'Ada@Example.COM' })).toEqual([401])
    expect(await wrong(2, { username: 'ada@example.com', path: '/user/token' })).toEqual([401, 401])
    for (const username of ['ada', 'ADA', 'ada@example.com', 'ADA@EXAMPLE.COM'])
      for (const path of ['/token', '/user/token']) expect(await wrong(1, { username, path })).toEqual([429])
    expect(await change(password)).toBe(429)
    await app.clock.advance(MINUTE)
    expect(await change(password)).toBe(204)
    await open({ LIMITS: 'login.name_prefix=off,login.name=off' })
    expect(await wrong(3, { username: 'ada@example.com' })).toEqual(times(3, 401))
    expect(await wrong(4)).toEqual([...times(3, 401), 429])
  })

  test('D2: other spellings of a path share the limits of the route', async () => {
    await wrong(3)
    // 307 leads to the route itself, and checks no password.
    for (const path of ['//token', '/token/', '/TOKEN', '/%74oken', '/./token/.'])
      expect([307, 404, 429]).toContain(
        (await app.request('POST', path, { form: { username: 'ada', password }, peer: home })).status,
      )
  })

  test('C9: an unknown user is counted exactly like a known one', async () => {
    const story = async (username: string, peer: string) => {
      const answers: unknown[] = []
      for (let i = 0; i < 30; i++) {
        answers.push(await guess(app, { username, peer }))
        await app.clock.advance(10 * SECOND)
      }
      return answers
    }
    const known = await story('ada', home)
    expect(await story('nobody', elsewhere)).toEqual(known)
    expect(await story('nobody@example.com', '203.0.113.10')).toEqual(known)
    expect(await story('not a name!', '203.0.113.11')).toEqual(known)
  })

  test('C2: the answers for a known and an unknown user have the same headers, body and length', async () => {
    const answers = await Promise.all(
      ['ada', 'ben', 'ada@example.com', 'ben@example.com'].map(async (username, index) => {
        const form = { username, password: 'wrong' }
        const response = await app.request('POST', '/token', { form, peer: `198.51.100.${index}` })
        const headers = [...response.headers].filter(([name]) => name !== 'x-request-id')
        return [response.status, headers, await response.text()]
      }),
    )
    for (const answer of answers) expect(answer).toEqual(answers[0]!)
  })

  test('C1: a known and an unknown user cost the same hashes and statements', async () => {
    let hashes = 0
    const bcrypt: Bcrypt = {
      hash(text, cost) {
        hashes++
        return Bun.password.hash(text, { algorithm: 'bcrypt', cost })
      },
      verify(text, hash) {
        hashes++
        return Bun.password.verify(text, hash)
      },
    }
    const statements: string[] = []
    const store = watchStatements((sql) => statements.push(sql.replace(/email_key|username_key/g, 'key')))
    await open({}, { store, passwords: passwordsWith({ bcrypt }) })
    const cost = async (username: string, given: string, peer: string) => {
      hashes = 0
      statements.length = 0
      expect((await guess(app, { username, password: given, peer })).status).toBe(401)
      // A verification costs the same as a hash.
      return { hashes, statements: [...statements] }
    }
    const known = await cost('ada', 'wrong', home)
    expect(known.hashes).toBe(1)
    expect(known.statements.length).toBeGreaterThan(3)
    expect(await cost('ben', 'wrong', '198.51.100.8')).toEqual(known)
    expect(await cost('ben@example.com', 'wrong', '198.51.100.9')).toEqual(known)
    for (const [index, odd] of ['x'.repeat(90), 'nul\0', '\ud800'].entries()) {
      const one = await cost('ada', odd, `198.51.101.${index}`)
      expect(await cost('ben', odd, `198.51.102.${index}`)).toEqual(one)
      expect(one).toEqual(known)
    }
    await app.rows.users.change({}, { isActive: false })
    expect(await cost('ada', password, '198.51.100.11')).toEqual(known)
  })

  test('D6: a single network never delays logins elsewhere, however long it tries', async () => {
    for (let hour = 0; hour < 40; hour++) {
      await wrong(12)
      expect((await guess(app, { username: 'ada', peer: elsewhere, password: hour % 8 ? password : 'x' })).status).toBe(
        hour % 8 ? 200 : 401,
      )
      // Resets what makes the network known to the owner, so that it is unknown each time.
      await app.rows.sessions.remove()
      await app.clock.advance(HOUR)
    }
  })

  test('a right password clears only its own counts', async () => {
    await app.signUp('eve', password)
    const network = '198.51.100.66'
    // Eve, the attacker, logs in to her own account in between.
    let through = 0
    for (let i = 0; i < 100; i++) {
      const { status } = await guess(app, { username: `victim${i}`, peer: network })
      if (status === 401) through++
      await guess(app, { username: 'eve', password, peer: network })
    }
    expect(through).toBe(20)
    // Ada logs in at home, which does not help the attacker elsewhere.
    await wrong(5)
    expect((await right()).status).toBe(200)
    expect(await wrong(1)).toEqual([429])
  })

  test('a right password clears the typing errors before it', async () => {
    for (let round = 0; round < 10; round++) {
      expect(await wrong(2)).toEqual(times(2, 401))
      expect((await right({ peer: home })).status).toBe(200)
    }
  })

  test('an attempt that fails with an internal error is not counted', async () => {
    passwords.change({ verify: () => Promise.reject(new Error('out of order')) })
    expect(await wrong(20)).toEqual(times(20, 500))
    passwords.restore()
    expect(await wrong(4)).toEqual([...times(3, 401), 429])
  })

  describe('the owner of an attacked account', () => {
    test('can log in with the device token from anywhere', async () => {
      await attack(app)
      expect((await right({ peer: elsewhere })).status).toBe(429)
      expect((await right({ peer: elsewhere, device: ada.grant.device_token })).status).toBe(200)
    })

    test('can log in without it from the network of an earlier login, until a week after its end', async () => {
      await app.request('POST', '/logout', { token: ada.grant.access_token })
      await app.clock.advance(6 * DAY)
      await attack(app)
      expect((await right()).status).toBe(200)
    })

    test('can log in from another address of the /64 of an earlier login', async () => {
      await right({ peer: '2001:db8:1:2::77' })
      await attack(app)
      expect((await right({ peer: '2001:db8:1:2:ffff::1' })).status).toBe(200)
      expect((await right({ peer: '2001:db8:1:3::77' })).status).toBe(429)
    })

    test('can log in from a known network even if an attacker there has used up the limit of the network', async () => {
      for (let i = 0; i < 60; i++) await guess(app, { username: `name${i}`, peer: '192.0.2.1' })
      expect((await guess(app, { username: 'ben', peer: '192.0.2.1' })).limit).toBe('login.prefix_accounts')
      expect((await right()).status).toBe(200)
    })

    test('on a new device elsewhere waits at most 58 minutes after the last guess', async () => {
      await attack(app)
      const { status, retryAfter } = await right({ peer: elsewhere })
      expect(status).toBe(429)
      expect(retryAfter).toBeLessThanOrEqual(58 * 60)
      await app.clock.advance(retryAfter * SECOND)
      expect((await right({ peer: elsewhere })).status).toBe(200)
    })

    test('on a network of colleagues is not affected by one who guesses there', async () => {
      // Twenty colleagues on one network; one of them guesses the passwords of the others.
      for (let i = 0; i < 20; i++) await app.signUp(`colleague${i}`, password)
      const statuses: number[] = []
      for (const domain of ['', '@example.com'])
        for (let i = 0; i < 100; i++)
          statuses.push((await guess(app, { username: `colleague${i % 20}${domain}`, peer: '192.0.2.1' })).status)
      expect(tally(statuses)[401]).toBe(100)
      expect((await right({ device: ada.grant.device_token })).status).toBe(200)
    })
  })

  describe('a device token', () => {
    const device = () => ada.grant.device_token

    test('is no longer accepted after ten wrong passwords, which is in the audit log and locks no user out', async () => {
      expect(await wrong(10, { device: device() })).toEqual(times(10, 401))
      const voided = (await auditOf(app)).filter(({ event }) => event === 'device_token.voided')
      expect(voided).toMatchObject([{ userId: ada.id, ip: home, details: null }])
      // From now on it has no effect.
      expect(await wrong(4, { device: device() })).toEqual([...times(3, 401), 429])
      const back = await right({ device: device() })
      expect(back.status).toBe(200)
      // The new device token works, the old one has no effect.
      expect(await wrong(1, { device: back.deviceToken })).toEqual([401])
      expect(await wrong(1, { device: device() })).toEqual([429])
      await app.clock.advance(179 * DAY)
      await wrong(5, { device: device() })
      expect(await wrong(1, { device: device() })).toEqual([429])
      expect((await auditOf(app)).filter(({ event }) => event === 'device_token.voided')).toHaveLength(1)
    })

    test('is counted separately, and a right password clears its count', async () => {
      await wrong(3)
      for (let round = 0; round < 3; round++) {
        expect(await wrong(9, { device: device() })).toEqual(times(9, 401))
        expect((await right({ device: device(), peer: home })).status).toBe(200)
      }
    })

    test('of another user, forged, cut or altered has no effect', async () => {
      const bea = await app.signUp('bea', password)
      await wrong(5)
      const [header, payload, signature] = device()!.split('.') as [string, string, string]
      const none = Buffer.from('{"alg":"none","typ":"keyward-device+jwt"}').toString('base64url')
      for (const token of [
        bea.grant.device_token!,
        ada.grant.access_token,
        `${header}.${payload}.`,
        `${none}.${payload}.`,
        `${header}.${payload}.${signature.slice(1)}`,
        `${header}.${Buffer.from(JSON.stringify({ sub: String(ada.id) })).toString('base64url')}.${signature}`,
        'x',
        'a.b.c',
      ])
        expect(await wrong(1, { device: token })).toEqual([429])
    })

    test('is no longer accepted after an administrator set a password', async () => {
      await app.admin.setPassword(ada.id, password)
      await wrong(5)
      expect(await wrong(1, { device: device() })).toEqual([429])
    })

    test('allows no more than ten of a hundred parallel attempts', async () => {
      const statuses = await Promise.all(
        Array.from({ length: 100 }, () => guess(app, { username: 'ada', peer: home, device: device() })),
      )
      // Ten by the device, then three as an unknown device.
      expect(tally(statuses.map(({ status }) => status))).toEqual({ 401: 13, 429: 87 })
    })
  })

  describe('one client is counted for', () => {
    test('D9: all addresses of an IPv6 /64', async () => {
      const peers = ['2001:db8::1', '2001:db8:0:0:ffff::', '2001:0DB8::1:2:3:4']
      for (const peer of peers) expect(await wrong(1, { peer })).toEqual([401])
      expect(await wrong(1, { peer: '2001:db8::dead:beef' })).toEqual([429])
      expect(await wrong(1, { peer: '2001:db8:0:1::1' })).toEqual([401])
    })

    test('an IPv4 address, also in its IPv6 spelling', async () => {
      await wrong(5)
      expect(await wrong(1, { peer: `::ffff:${home}` })).toEqual([429])
    })

    test('all requests whose address is unknown', async () => {
      for (const peer of ['', 'unknown', '300.1.1.1']) expect(await wrong(1, { peer })).toEqual([401])
      expect(await wrong(1, { peer: 'nowhere' })).toEqual([429])
    })

    const forged = (i: number): Record<string, string> => ({
      'x-forwarded-for': `10.9.8.${i}`,
      'x-real-ip': `10.9.8.${i}`,
      forwarded: `for=10.9.8.${i}`,
      'cf-connecting-ip': `10.9.8.${i}`,
      'true-client-ip': `10.9.8.${i}`,
      'x-client-ip': `10.9.8.${i}`,
    })

    test('D3: forged headers if no proxy is trusted', async () => {
      const statuses: number[] = []
      for (let i = 0; i < 20; i++) statuses.push(...(await wrong(1, { headers: forged(i) })))
      expect(tally(statuses)).toEqual({ 401: 3, 429: 17 })
    })

    test('D3: forged headers behind a trusted proxy, which appends the real address', async () => {
      await open({ TRUSTED_PROXIES: '10.0.0.0/8' })
      const proxy = '10.0.0.1'
      const through = (i: number, seen: string) => ({ ...forged(i), 'x-forwarded-for': `192.0.2.${i}, ${seen}` })
      const statuses: number[] = []
      for (let i = 0; i < 20; i++) statuses.push(...(await wrong(1, { peer: proxy, headers: through(i, home) })))
      expect(tally(statuses)).toEqual({ 401: 3, 429: 17 })
      // Another client behind the same proxy is counted separately.
      expect(await wrong(1, { peer: proxy, headers: through(1, elsewhere) })).toEqual([401])
      // Only the proxy may report an address.
      for (let i = 0; i < 3; i++) await wrong(1, { peer: '203.0.113.50', headers: through(i, `203.0.113.${i}`) })
      expect(await wrong(1, { peer: '203.0.113.50', headers: through(9, '203.0.113.99') })).toEqual([429])
    })
  })

  test('RATE_LIMIT=off turns all limits off', async () => {
    await open({ RATE_LIMIT: 'off' })
    expect(tally(await wrong(80))).toEqual({ 401: 80 })
    for (let i = 0; i < 60; i++) expect((await guess(app, { username: `n${i}`, peer: home })).status).toBe(401)
    for (let i = 0; i < 45; i++) {
      const json = { email: `r${i}@example.com`, username: `reg${i}`, password }
      expect((await app.request('POST', '/register', { json })).status).toBe(201)
    }
    expect(await wrong(12, { device: ada.grant.device_token })).toEqual(times(12, 401))
    expect(await app.rows.limits.all()).toEqual([])
    expect((await auditOf(app)).some(({ event }) => event === 'limit.exceeded')).toBe(false)
  })

  test('LIMITS replaces one limit and leaves the others', async () => {
    await open({ LIMITS: 'login.account_prefix=2/1h, login.prefix=off' })
    expect(await wrong(3)).toEqual([401, 401, 429])
    expect((await wrong(1, { peer: elsewhere }))[0]).toBe(401)
    await open({ LIMITS: 'login.name_prefix=off,login.account_prefix=off' })
    expect(tally(await wrong(30))).toEqual({ 401: 10, 429: 20 })
    expect(tally(await wrong(30, { username: 'ada@example.com' }))).toEqual({ 401: 10, 429: 20 })
    await open({ LIMITS: 'login.name_prefix=off,login.account_prefix=off,login.name=off' })
    expect(tally(await wrong(30))).toEqual({ 401: 20, 429: 10 })
  })

  test('D7: a new process on the same database has all counts', async () => {
    await wrong(2)
    const again = await limitedApp({ dialect, databaseUrl: app.databaseUrl, clock: app.clock })
    // After this time no guess of another process is undecided.
    await app.clock.advance(6 * SECOND)
    expect(await guesses(again, 2, { username: 'ADA', peer: home })).toEqual([401, 429])
    await again.close()
  })
})
