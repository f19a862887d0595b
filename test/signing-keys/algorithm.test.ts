import { expect, test } from 'bun:test'
import { MINUTE } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { headerOf, logIn, publishedKids, statusOf } from './support.ts'

const JWT_SECRET = '5c1e0a7f4d92b86e3301f7ca94d8526be8f17d03c65a94f2b17e80d36a29c4f5'

describeEachDialect('a change of JWT_ALG', (dialect) => {
  const apps = appsPerTest()

  /** The first app stays open, because it owns the database, but gets no more requests. */
  const restart = (former: TestApp, env: Record<string, string>) =>
    apps.open({ databaseUrl: former.databaseUrl, clock: former.clock, jobs: true, env })

  test('is a rotation: the new key is published before it signs, and earlier tokens stay valid until they expire', async () => {
    const before = await apps.open({ dialect })
    const { grant } = await before.signUp()
    const former = headerOf(grant.access_token).kid
    const after = await restart(before, { JWT_ALG: 'EdDSA' })
    expect(await publishedKids(after)).toHaveLength(3)
    expect(await statusOf(after, grant.access_token)).toBe(200)
    expect(headerOf(await logIn(after)).alg).toBe('ES256')

    await after.passTime(9 * MINUTE)
    expect(after.logs.filter((line) => line.includes('signing_key_waits'))).toHaveLength(1)
    await after.passTime(3 * MINUTE)
    const token = await logIn(after)
    expect(headerOf(token).alg).toBe('EdDSA')
    expect([await statusOf(after, token), await statusOf(after, grant.access_token)]).toEqual([200, 200])
    expect(await publishedKids(after)).toContain(former)
    await after.passTime(35 * MINUTE)
    const kids = await publishedKids(after)
    expect(kids).toEqual([headerOf(token).kid, expect.any(String)])
  })

  test('takes effect at once with keyward signing-keys rotate --now', async () => {
    const before = await apps.open({ dialect })
    const { grant } = await before.signUp()
    const after = await restart(before, { JWT_ALG: 'EdDSA' })
    await after.keys.rotate({ early: true })
    expect(headerOf(await logIn(after)).alg).toBe('EdDSA')
    expect(await statusOf(after, grant.access_token)).toBe(200)
  })

  test('on one of two servers: the one started last decides, and each accepts the other’s tokens', async () => {
    const before = await apps.open({ dialect, jobs: true })
    await before.signUp()
    await before.clock.advance(1)
    const after = await restart(before, { JWT_ALG: 'EdDSA' })
    for (let i = 0; i < 4; i++) await after.passTime(12 * MINUTE)
    await before.passTime(MINUTE)
    const tokens = [await logIn(before), await logIn(after)]
    expect(tokens.map((token) => headerOf(token).alg)).toEqual(['EdDSA', 'EdDSA'])
    for (const app of [before, after]) for (const token of tokens) expect(await statusOf(app, token)).toBe(200)
  })

  test('to HS256 takes effect at once and empties the key set after the last token expired; and back', async () => {
    const before = await apps.open({ dialect })
    const { grant } = await before.signUp()
    const shared = await restart(before, { JWT_ALG: 'HS256', JWT_SECRET })
    const secretly = await logIn(shared)
    expect(headerOf(secretly).alg).toBe('HS256')
    expect([await statusOf(shared, secretly), await statusOf(shared, grant.access_token)]).toEqual([200, 200])
    expect(await publishedKids(shared)).toContain(headerOf(grant.access_token).kid)
    await shared.passTime(33 * MINUTE)
    expect(await publishedKids(shared)).toEqual([])
    const last = await logIn(shared)

    const back = await restart(shared, { JWT_ALG: 'ES256', JWT_SECRET })
    expect(await publishedKids(back)).toHaveLength(1)
    await back.passTime(15 * MINUTE)
    expect(headerOf(await logIn(back)).alg).toBe('ES256')
    expect(await statusOf(back, last)).toBe(200)
    // The secret is still configured, but its tokens are no longer accepted.
    await back.passTime(32 * MINUTE)
    expect(back.keys.find(headerOf(last).kid)).toBeUndefined()

    const again = await restart(back, { JWT_ALG: 'HS256', JWT_SECRET })
    expect(headerOf(await logIn(again)).kid).toBe(headerOf(last).kid)
  })

  test('from HS256 without its secret uses the published key at once', async () => {
    const before = await apps.open({ dialect, env: { JWT_ALG: 'HS256', JWT_SECRET } })
    const { grant } = await before.signUp()
    expect(await publishedKids(before)).toEqual([])
    const after = await restart(before, { JWT_ALG: 'ES256' })
    const token = await logIn(after)
    expect(await publishedKids(after)).toEqual([headerOf(token).kid])
    expect([await statusOf(after, token), await statusOf(after, grant.access_token)]).toEqual([200, 401])
  })

  test('a JWT_SECRET cannot be rotated or revoked while it signs, and once revoked is never accepted again', async () => {
    const before = await apps.open({ dialect, env: { JWT_ALG: 'HS256', JWT_SECRET } })
    const { grant } = await before.signUp()
    const { kid } = headerOf(grant.access_token)
    await expect(before.keys.rotate()).rejects.toMatchObject({ code: 'key_not_rotatable' })
    await expect(before.keys.revoke(kid)).rejects.toMatchObject({ code: 'key_not_rotatable' })

    const after = await restart(before, { JWT_ALG: 'ES256', JWT_SECRET })
    await after.keys.rotate({ early: true })
    expect(await statusOf(after, grant.access_token)).toBe(200)
    await after.keys.revoke(kid)
    expect(await statusOf(after, grant.access_token)).toBe(401)
    await after.passTime(100 * 24 * 60 * MINUTE)
    await expect(restart(after, { JWT_ALG: 'HS256', JWT_SECRET })).rejects.toThrow('This JWT_SECRET was revoked')
  })

  test('another JWT_SECRET is used at once', async () => {
    const before = await apps.open({ dialect, env: { JWT_ALG: 'HS256', JWT_SECRET } })
    const { grant } = await before.signUp()
    const after = await restart(before, { JWT_ALG: 'HS256', JWT_SECRET: [...JWT_SECRET].reverse().join('') })
    const token = await logIn(after)
    expect(headerOf(token).kid).not.toBe(headerOf(grant.access_token).kid)
    expect([await statusOf(after, token), await statusOf(after, grant.access_token)]).toEqual([200, 401])
  })
})
