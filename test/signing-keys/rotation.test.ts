import { expect, test } from 'bun:test'
import { DAY, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { headerOf, logIn, publishedKids, statusOf } from './support.ts'

describeEachDialect('the rotation of signing keys', (dialect) => {
  const apps = appsPerTest()

  test('E15: publishes the next key from the first start, without a private part', async () => {
    const app = await apps.open({ dialect })
    const response = await app.request('GET', '/.well-known/jwks.json')
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('public, max-age=600')
    expect(response.headers.get('content-type')).toStartWith('application/json')
    const { keys } = (await response.json()) as { keys: object[] }
    expect(keys).toHaveLength(2)
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
      expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
    }
  })

  test('E14: happens by age; the previous key verifies until its last token has expired', async () => {
    const app = await apps.open({
      dialect,
      jobs: true,
      env: { KEY_ROTATION_DAYS: '7', ACCESS_TOKEN_EXPIRE_MINUTES: '60' },
    })
    await app.signUp()
    const [first, second] = await publishedKids(app)
    await app.passTime(7 * DAY - 2 * MINUTE)
    expect(await publishedKids(app)).toEqual([first!, second!])
    expect(headerOf(await logIn(app)).kid).toBe(first!)

    await app.passTime(MINUTE)
    const last = await logIn(app)
    expect(headerOf(last).kid).toBe(first!)
    await app.passTime(MINUTE)
    const kids = await publishedKids(app)
    expect(kids).toEqual([second!, first!, expect.any(String)])
    const fresh = await logIn(app)
    expect(headerOf(fresh).kid).toBe(second!)
    expect([await statusOf(app, last), await statusOf(app, fresh)]).toEqual([200, 200])

    await app.passTime(58 * MINUTE)
    expect(await statusOf(app, last)).toBe(200)
    await app.passTime(MINUTE)
    expect(await statusOf(app, last)).toBe(401)
    expect(await publishedKids(app)).toEqual(kids)
    // Two minutes are added for replicas that follow late and clocks that differ.
    await app.passTime(3 * MINUTE)
    expect(await publishedKids(app)).toEqual([second!, kids[2]!])
  })

  test('keeps a retired key as long as its longest-lived token, whichever replica made and rotated it', async () => {
    const short = await apps.open({ dialect, jobs: true, env: { ACCESS_TOKEN_EXPIRE_MINUTES: '10' } })
    const beside = { databaseUrl: short.databaseUrl, clock: short.clock }
    const long = await apps.open({ ...beside, env: { ACCESS_TOKEN_EXPIRE_MINUTES: '600' } })
    const { grant } = await long.signUp()
    await short.passTime(20 * MINUTE)
    await short.keys.rotate()
    await short.passTime(570 * MINUTE)
    expect(await statusOf(short, grant.access_token)).toBe(200)
    expect(await publishedKids(short)).toContain(headerOf(grant.access_token).kid)
    await short.passTime(40 * MINUTE)
    expect(await publishedKids(short)).not.toContain(headerOf(grant.access_token).kid)
  })

  test('removes an expired key on time in a process that does not reload', async () => {
    const app = await apps.open({ dialect })
    const [first] = await publishedKids(app)
    await app.keys.rotate({ early: true })
    await app.clock.advance(32 * MINUTE - 1)
    expect(app.keys.find(first!)).toBeDefined()
    await app.clock.advance(1)
    expect(app.keys.find(first!)).toBeUndefined()
    expect(await publishedKids(app)).not.toContain(first!)
  })

  test('does not use a key that was published too short a time ago, unless told to', async () => {
    const app = await apps.open({ dialect })
    const [first, second] = await publishedKids(app)
    await app.passTime(11 * MINUTE - 1)
    await expect(app.keys.rotate()).rejects.toMatchObject({ code: 'key_not_ready' })
    expect(await publishedKids(app)).toEqual([first!, second!])
    await app.passTime(1)
    const { active, next } = await app.keys.rotate()
    expect(await publishedKids(app)).toEqual([second!, first!, next])
    expect(active).toBe(second!)
    await expect(app.keys.rotate()).rejects.toMatchObject({ code: 'key_not_ready' })
    expect((await app.keys.rotate({ early: true })).active).toBe(next)
  })

  test('never happens with KEY_ROTATION_DAYS=0', async () => {
    const app = await apps.open({ dialect, jobs: true, env: { KEY_ROTATION_DAYS: '0' } })
    const kids = await publishedKids(app)
    await app.passTime(4_000 * DAY)
    expect(await publishedKids(app)).toEqual(kids)
  })

  test('deletes keys that expired long ago', async () => {
    const app = await apps.open({ dialect, jobs: true, env: { KEY_ROTATION_DAYS: '0' } })
    const kept = () => app.rows.signingKeys.count()
    await app.keys.rotate({ early: true })
    await app.passTime(30 * DAY)
    expect(await kept()).toBe(3)
    await app.passTime(DAY)
    expect(await kept()).toBe(2)
  })

  test('is done by one of 12 replicas that find it due at the same moment', async () => {
    const first = await apps.open({ dialect })
    const replicas = [first]
    for (let i = 1; i < 4; i++)
      replicas.push(await apps.open({ databaseUrl: first.databaseUrl, clock: first.clock, seed: `replica ${i}` }))
    await first.clock.advance(20 * MINUTE)
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => replicas[i % 4]!.keys.rotate()))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const { reason } of outcomes.filter((one) => one.status === 'rejected'))
      expect(reason.code).toMatch(/^keys_changed$|^key_not_ready$/)
    for (const replica of replicas) await replica.keys.reload()
    for (const replica of replicas) expect(await publishedKids(replica)).toEqual(await publishedKids(first))
    expect(await publishedKids(first)).toHaveLength(3)
  })

  test('is done once by two servers with timers, and both follow within 30 seconds', async () => {
    const env = { KEY_ROTATION_DAYS: '7' }
    const first = await apps.open({ dialect, jobs: true, env })
    const second = await apps.open({ databaseUrl: first.databaseUrl, jobs: true, env })
    await first.signUp()
    const both = (ms: number) => Promise.all([first.passTime(ms), second.passTime(ms)])
    await both(7 * DAY + MINUTE)
    await both(30 * SECOND)
    const kids = await publishedKids(first)
    expect(kids).toHaveLength(3)
    expect(await publishedKids(second)).toEqual(kids)
    expect(headerOf(await logIn(second)).kid).toBe(kids[0]!)
    const rotations = [first, second].flatMap(({ logs }) => logs.filter((line) => line.includes('signing_key_rotated')))
    expect(rotations).toHaveLength(1)
  })
})
