import { beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { clientPrefix } from '../../src/lib/ip.ts'
import { createTestApp, type SignedUp, type TestApp, type TestAppOptions } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'
import { readChapter } from '../support/readme.ts'
import { auditOf, guess, limited, password } from './support.ts'

/** The guide's section "What an attacker can do" contains these sentences and numbers. */
const guide = await readChapter('security')

/** Asserts that the guide contains this. */
const inGuide = (row: string) => expect(guide).toContain(row)

/** Password checks cost nothing here, so that days of attacks take seconds; the counts are the same. */
const withoutHashing = (options: TestAppOptions = {}): TestAppOptions =>
  limited({
    ...options,
    env: { SQLITE_SYNCHRONOUS: 'NORMAL', LOG_LEVEL: 'silent' },
    replace: {
      passwords: (real) => ({
        ...real,
        verify: async (given, stored) => ({ ok: stored !== undefined && given === password, rehash: false }),
        hash: async () => ({ hash: `$2b$04$${'a'.repeat(21)}.${'a'.repeat(30)}.`, scheme: 'bun-bcrypt' }),
      }),
    },
  })

const ipv4 = (block: number, n: number) => `${block}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`

/** Whether a wrong password was checked and not refused: the use case behind `/token`, without HTTP. */
async function isChecked(app: TestApp, identifier: string, ip: string): Promise<boolean> {
  const attempt = { identifier, password: 'leaked', origin: { ip, userAgent: null }, client: clientPrefix(ip) }
  const error: unknown = await app.process.login(attempt).catch((thrown) => thrown)
  if (!(error instanceof KeywardError)) throw error
  return error.code === 'invalid_credentials'
}

/**
 * The most that an attacker can guess from one place: one attempt per answer, and again at the very second that a
 * refusal names. A refused attempt is not counted, so no other timing gets more guesses.
 */
async function bestGuesser(
  app: TestApp,
  until: number,
  next: () => { username: string; peer: string },
): Promise<number> {
  let through = 0
  while (app.clock.now() < until) {
    const { status, retryAfter } = await guess(app, next())
    if (status === 401) through++
    else app.clock.setWall(app.clock.now() + retryAfter * SECOND)
  }
  return through
}

describeEachDialect('the number of guesses in an attack', (dialect) => {
  const app = appPerSuite(withoutHashing({ dialect }))
  let ada: SignedUp
  let start = 0
  beforeAll(async () => {
    ada = await app.signUp('ada', password)
  })
  beforeEach(async () => {
    await app.rows.limits.remove()
    await app.rows.auditEvents.remove()
    await app.clock.advance(MINUTE)
    start = app.clock.now()
  })
  /** An account has two names, and each has half of the guesses. */
  const names = ['ada', 'ada@example.com']
  let turn = 0
  const nextName = () => names[turn++ % 2]!
  const owner = (one: { peer?: string; device?: string } = {}) => guess(app, { username: 'ada', password, ...one })

  test('by one address on one account', async () => {
    const peer = '198.51.100.7'
    const firstDay = await bestGuesser(app, start + DAY, () => ({ username: nextName(), peer }))
    expect(firstDay).toBeGreaterThanOrEqual(38)
    expect(firstDay).toBeLessThanOrEqual(39)
    const secondDay = await bestGuesser(app, start + 2 * DAY, () => ({ username: nextName(), peer }))
    expect(secondDay).toBeLessThanOrEqual(20)
    // The owner at home or anywhere else is not affected.
    expect((await owner()).status).toBe(200)
    expect((await owner({ peer: '203.0.113.1' })).status).toBe(200)
    inGuide('| one address guesses the password of one user | 39 | 20 | none |')
  })

  test('12.A8 with one of the two names only', async () => {
    const peer = '198.51.100.7'
    const one = () => ({ username: 'ada', peer })
    const byOne = await bestGuesser(app, start + DAY, one)
    expect(byOne).toBeGreaterThanOrEqual(18)
    expect(byOne).toBeLessThanOrEqual(19)
    expect(await bestGuesser(app, start + 2 * DAY, one)).toBeLessThanOrEqual(10)
    await app.rows.limits.remove()
    let next = 0
    const bot = () => ({ username: 'ada', peer: ipv4(100, next++ % 5_000) })
    const byMany = await bestGuesser(app, start + 3 * DAY, bot)
    expect(byMany).toBeGreaterThanOrEqual(47)
    expect(byMany).toBeLessThanOrEqual(49)
    expect(await bestGuesser(app, start + 4 * DAY, bot)).toBeLessThanOrEqual(25)
    while ((await guess(app, bot())).status === 401);
    // The owner logs in with the other name at once.
    expect((await guess(app, { username: 'ada@example.com', password, peer: '203.0.113.200' })).status).toBe(200)
    inGuide('with only one of them it is 19 and 10 in the first row, and 49 and 25 in the second')
  })

  test('D6: by 5,000 addresses on one account, for a day', async () => {
    const device = ada.grant.device_token
    let through = 0
    let next = 0
    const bot = () => ({ username: nextName(), peer: ipv4(100, next++ % 5_000) })
    for (let hour = 0; hour < 24; hour++) {
      through += await bestGuesser(app, start + (hour + 1) * HOUR, bot)
      // In the middle of every hour: with the device token, and at home without one.
      expect((await owner({ peer: `203.0.113.${hour}`, device })).status).toBe(200)
      expect((await owner()).status).toBe(200)
      // The owner travels, and only the home network stays known.
      await app.rows.sessions.remove()
      await owner()
    }
    expect(through).toBeGreaterThanOrEqual(97)
    expect(through).toBeLessThanOrEqual(99)
    expect(await bestGuesser(app, start + 2 * DAY, bot)).toBeLessThanOrEqual(50)
    for (const _ of names) while ((await guess(app, bot())).status === 401);
    // On a new device in a new place the owner waits until 58 minutes after the attack.
    const put = await owner({ peer: '203.0.113.200' })
    expect(put.status).toBe(429)
    expect(put.retryAfter).toBeLessThanOrEqual(58 * 60)
    app.clock.setWall(app.clock.now() + put.retryAfter * SECOND)
    expect((await owner({ peer: '203.0.113.200' })).status).toBe(200)
    // One event per limit, account and window, not one per refusal.
    const exceeded = (await auditOf(app)).filter(({ event }) => event === 'limit.exceeded')
    expect(exceeded.length).toBeLessThanOrEqual(2 * (2 + 24))
    inGuide(
      '| 5,000 addresses guess the password of one user | 99 | 50 | none on a known device or network; elsewhere the user waits until 58 minutes after the last guess |',
    )
  })

  test('12.A1 by an intruder with 19 of the 20 device tokens, in 30 known networks and 5,000 others', async () => {
    const device = (await owner()).deviceToken!
    const stolen: string[] = []
    for (let i = 0; i < 30; i++) await owner({ peer: `198.51.100.${i}`, device })
    for (let i = 0; i < 19; i++) stolen.push((await owner()).deviceToken!)
    let bots = 0
    const somewhere = () => ipv4(100, bots++ % 5_000)
    let networks = 0
    const known = () => `198.51.100.${networks++ % 30}`
    const guessAll = async (hours: number) => {
      let through = 0
      const until429 = async (next: () => { peer: string }) => {
        for (const _ of names) while ((await guess(app, { username: nextName(), ...next() })).status === 401) through++
      }
      for (let hour = 0; hour < hours; hour++) {
        for (const token of stolen)
          for (let i = 0; i < 3; i++)
            if ((await guess(app, { username: 'ada', peer: somewhere(), device: token })).status === 401) through++
        await until429(() => ({ peer: known() }))
        await until429(() => ({ peer: somewhere() }))
        await app.clock.advance(HOUR / 2)
        expect((await owner({ peer: `203.0.113.${hour}`, device })).status).toBe(200)
        await app.clock.advance(HOUR / 2)
      }
      return through
    }
    const firstDay = await guessAll(24)
    expect(firstDay).toBeGreaterThanOrEqual(480)
    // 10 with each device token, and those of the two limits of the user.
    expect(firstDay).toBeLessThanOrEqual(19 * 10 + 199 + 99)
    expect(await guessAll(24)).toBeLessThanOrEqual(100 + 50)
    inGuide(
      '| an intruder has 19 of the 20 device tokens of one user, and guesses in the networks of this user and from 5,000 other addresses | 488 | 150 | none on the device that is left; elsewhere as in the row above |',
    )
  })

  test('D4: with one password on 10,000 names', async () => {
    let name = 0
    const next = () => ({ username: `user${name++ % 10_000}`, peer: '198.51.100.8' })
    const through = await bestGuesser(app, start + DAY, next)
    expect(through).toBeGreaterThanOrEqual(76)
    expect(through).toBeLessThanOrEqual(79)
    expect(await bestGuesser(app, start + 2 * DAY, next)).toBeLessThanOrEqual(40)
    // Users elsewhere, and one at home on the attacker's network, log in at once.
    expect((await owner({ peer: '203.0.113.2' })).status).toBe(200)
    inGuide('| one address tries one password on 10,000 names | 79 | 40 |')
  })

  test('by registrations', async () => {
    let name = 0
    const register = (username: string, peer: string) =>
      app.request('POST', '/register', { json: { email: `${username}@example.com`, username, password }, peer })
    const made = [0, 0]
    for (const day of [0, 1])
      while (app.clock.now() < start + (day + 1) * DAY) {
        const response = await register(`bot${name++}`, '198.51.100.9')
        if (response.status === 201) made[day]!++
        else app.clock.setWall(app.clock.now() + Number(response.headers.get('retry-after')) * SECOND)
      }
    expect(made[0]).toBeGreaterThanOrEqual(195)
    expect(made[0]).toBeLessThanOrEqual(199)
    expect(made[1]).toBeLessThanOrEqual(100)
    while ((await register(`bot${name++}`, '198.51.100.9')).status === 201);
    expect((await register('honest', '203.0.113.3')).status).toBe(201)
    const behind = await register('neighbour', '198.51.100.9')
    expect(behind.status).toBe(429)
    expect(Number(behind.headers.get('retry-after'))).toBeLessThanOrEqual(15 * 60)
    inGuide(
      '| one address registers users | 199 | 100 | none elsewhere; on the same address a wait of 15 minutes at most |',
    )
  })
})

describe('an attack with 100,000 stolen names and passwords from 50 networks', () => {
  test('gets the documented number of guesses in a day', async () => {
    const app = await createTestApp(withoutHashing())
    const ada = await app.signUp('ada', password)
    for (let i = 0; i < 20; i++) {
      const json = { email: `member${i}@example.com`, username: `member${i}`, password }
      await app.request('POST', '/register', { json, peer: ipv4(80, i) })
    }
    const start = app.clock.now()
    const before = app.process.waits().waitedTotal
    let through = 0
    // Every half hour each network makes its share of attempts, one after the other.
    for (let burst = 0; burst < 48; burst++) {
      app.clock.setWall(start + burst * 30 * MINUTE)
      for (let pair = burst; pair < 100_000; pair += 48) {
        const peer = `2001:db8:0:${(pair % 50).toString(16)}::${pair >> 16}:${(pair & 0xffff).toString(16)}`
        if (await isChecked(app, `leaked${pair}`, peer)) through++
      }
      // Users log in meanwhile: at home, on a known device on an attacker's network, and on networks without attackers.
      const device = ada.grant.device_token
      expect((await guess(app, { username: 'ada', password })).status).toBe(200)
      expect((await guess(app, { username: 'ada', password, device, peer: '2001:db8:0:1::9' })).status).toBe(200)
      const member = { username: `member${burst % 20}`, password, peer: ipv4(90, burst) }
      expect((await guess(app, member)).status).toBe(200)
    }
    expect(through).toBeGreaterThan(3_000)
    expect(through).toBeLessThanOrEqual(50 * 79)
    // The cache answered the flood: few of the refused attempts reached the database's writer.
    expect(app.process.waits().waitedTotal - before).toBeLessThan(100_000 / 8)
    inGuide('| 50 networks try 100,000 stolen names and passwords | 3,950 | 2,000 |')
    await app.close()
  }, 180_000)
})
