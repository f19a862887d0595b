import { expect, test } from 'bun:test'
import { DAY, HOUR, SECOND } from '../../src/lib/clock.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'

interface Pair {
  access_token: string
  refresh_token: string
}

const refresh = (app: TestApp, token: string) =>
  app.request('POST', '/token/refresh', { json: { refresh_token: token } })

const refreshed = async (app: TestApp, token: string): Promise<Pair> => {
  const response = await refresh(app, token)
  expect(response.status).toBe(200)
  return (await response.json()) as Pair
}

const me = async (app: TestApp, token: string) => (await app.request('GET', '/users/me', { token })).status

const audit = async (app: TestApp, event: string) => {
  return (await app.rows.auditEvents.all()).filter((row) => row.event === event)
}

describeEachDialect('refresh', (dialect) => {
  const withApp = async (env: Record<string, string>, body: (app: TestApp) => Promise<void>) => {
    const app = await createTestApp({ dialect, env })
    try {
      await body(app)
    } finally {
      await app.close()
    }
  }

  test('gives a new pair and keeps one row per session', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      let token = grant.refresh_token!
      for (let turn = 0; turn < 5; turn++) {
        const pair = await refreshed(app, token)
        expect(pair.refresh_token).not.toBe(token)
        expect(await me(app, pair.access_token)).toBe(200)
        token = pair.refresh_token
      }
      expect(await app.rows.sessions.count()).toBe(1)
    }))

  test('F3: gives 24 parallel requests with one token the same successor', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      const pairs = await Promise.all(Array.from({ length: 24 }, () => refreshed(app, grant.refresh_token!)))
      expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1)
      await refreshed(app, pairs[0]!.refresh_token)
    }))

  test('F4: accepts the previous token within the grace period, even if its successor was used', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      const next = await refreshed(app, grant.refresh_token!)
      expect(await me(app, next.access_token)).toBe(200)
      await app.clock.advance(10 * SECOND)
      expect((await refreshed(app, grant.refresh_token!)).refresh_token).toBe(next.refresh_token)
    }))

  test('F1, F2: ends the session if an older token arrives after its successor was used', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      const next = await refreshed(app, grant.refresh_token!)
      expect(await me(app, next.access_token)).toBe(200)
      await app.clock.advance(11 * SECOND)
      const refusals = await Promise.all(Array.from({ length: 8 }, () => refresh(app, grant.refresh_token!)))
      expect(refusals.map(({ status }) => status)).toEqual(Array(8).fill(401))
      expect((await refusals[0]!.json()) as object).toMatchObject({
        code: 'invalid_refresh_token',
        error: 'invalid_grant',
      })
      expect((await refresh(app, next.refresh_token)).status).toBe(401)
      expect(await me(app, next.access_token)).toBe(401)
      expect(await audit(app, 'session.refresh_token_reused')).toHaveLength(1)
    }))

  test('F4: lets a client that lost the answer retry an hour later if the successor was not used', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      const lost = await refreshed(app, grant.refresh_token!)
      await app.clock.advance(HOUR)
      const again = await refreshed(app, grant.refresh_token!)
      expect(again.refresh_token).toBe(lost.refresh_token)
      expect(await me(app, again.access_token)).toBe(200)
      await refreshed(app, again.refresh_token)
    }))

  test('allows that only for REFRESH_TOKEN_RETRY_SECONDS, and not at all if that is 0', async () => {
    await withApp({}, async (app) => {
      const { grant } = await app.signUp()
      await refreshed(app, grant.refresh_token!)
      await app.clock.advance(HOUR + 1)
      expect((await refresh(app, grant.refresh_token!)).status).toBe(401)
    })
    await withApp({ REFRESH_TOKEN_RETRY_SECONDS: '0' }, async (app) => {
      const { grant } = await app.signUp()
      await refreshed(app, grant.refresh_token!)
      await app.clock.advance(10 * SECOND + 1)
      expect((await refresh(app, grant.refresh_token!)).status).toBe(401)
    })
  })

  test('F5: accepts no token older than the previous one', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      const second = await refreshed(app, grant.refresh_token!)
      const third = await refreshed(app, second.refresh_token)
      expect((await refresh(app, grant.refresh_token!)).status).toBe(401)
      expect((await refresh(app, third.refresh_token)).status).toBe(401)
    }))

  test('F12: neither revives nor ends a session while the clock is set back', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      await app.clock.advance(2 * HOUR)
      const next = await refreshed(app, grant.refresh_token!)
      expect(await me(app, next.access_token)).toBe(200)
      app.clock.setWall(app.clock.now() - HOUR)
      expect((await refresh(app, grant.refresh_token!)).status).toBe(401)
      const last = await refreshed(app, next.refresh_token)
      expect(last.refresh_token).not.toBe(next.refresh_token)
    }))

  test('refuses a token newer than a restored database, and keeps the session', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      const second = await refreshed(app, grant.refresh_token!)
      const third = await refreshed(app, second.refresh_token)
      await app.rows.sessions.change({}, { generation: 1 })
      expect((await refresh(app, third.refresh_token)).status).toBe(401)
      expect(await audit(app, 'session.refresh_token_ahead')).toHaveLength(1)
      expect((await refreshed(app, second.refresh_token)).refresh_token).toBe(third.refresh_token)
    }))

  test('F7: ends with the idle and with the absolute lifetime', () =>
    withApp({ SESSION_MAX_DAYS: '40' }, async (app) => {
      const { grant } = await app.signUp()
      const idle = await app.request('POST', '/token', { form: { username: 'ada', password: 'correct horse battery' } })
      const idleToken = ((await idle.json()) as Pair).refresh_token
      await app.clock.advance(29 * DAY)
      const { refresh_token } = await refreshed(app, grant.refresh_token!)
      await app.clock.advance(DAY)
      expect((await refresh(app, idleToken)).status).toBe(401)
      await app.clock.advance(9 * DAY)
      const last = await refreshed(app, refresh_token)
      await app.clock.advance(DAY)
      expect((await refresh(app, last.refresh_token)).status).toBe(401)
    }))

  test('F6: refuses tokens that Keyward did not make, and writes nothing', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      const before = JSON.stringify([await app.rows.sessions.all(), await app.rows.auditEvents.all()])
      const token = grant.refresh_token!
      const altered = [...token.slice(4)].map((letter, i) => {
        const other = letter === 'A' ? 'B' : 'A'
        return `kwr_${token.slice(4, 4 + i)}${other}${token.slice(5 + i)}`
      })
      const prefixes = Array.from({ length: token.length }, (_, length) => token.slice(0, length))
      for (const bad of [
        ...altered,
        ...prefixes,
        `${token}=`,
        `${token}A`,
        ` ${token}`,
        token.toUpperCase(),
        grant.access_token,
      ])
        expect([bad, (await refresh(app, bad)).status]).toEqual([bad, 401])
      expect(JSON.stringify([await app.rows.sessions.all(), await app.rows.auditEvents.all()])).toBe(before)
    }))

  test('works at /token as a form, where an invalid token is 400 invalid_grant', () =>
    withApp({}, async (app) => {
      const { grant } = await app.signUp()
      const good = await app.request('POST', '/token', {
        form: { grant_type: 'refresh_token', refresh_token: grant.refresh_token! },
      })
      expect(good.status).toBe(200)
      expect(Object.keys((await good.json()) as object).sort()).toEqual([
        'access_token',
        'expires_in',
        'refresh_token',
        'token_type',
      ])
      const bad = await app.request('POST', '/token', { form: { grant_type: 'refresh_token', refresh_token: 'kwr_x' } })
      expect(bad.status).toBe(400)
      expect(await bad.json()).toMatchObject({ error: 'invalid_grant', code: 'invalid_grant' })
    }))

  test('works at every process of one database, and with a new SECRET_KEY while the previous one is set', async () => {
    const first = await createTestApp({ dialect })
    const { grant } = await first.signUp()
    const second = await createTestApp({ databaseUrl: first.databaseUrl, clock: first.clock, seed: 'second' })
    const renamed = await createTestApp({
      databaseUrl: first.databaseUrl,
      clock: first.clock,
      seed: 'third',
      env: { SECRET_KEY: 'another-secret-key-0123456789abcdefghij', SECRET_KEY_PREVIOUS: first.config.SECRET_KEY },
    })
    const pair = await refreshed(second, grant.refresh_token!)
    expect((await refreshed(first, grant.refresh_token!)).refresh_token).toBe(pair.refresh_token)
    await refreshed(renamed, pair.refresh_token)
    await renamed.close()
    await second.close()
    await first.close()
  })

  test('F3: makes one successor if two processes refresh one token at the same moment', async () => {
    const first = await createTestApp({ dialect })
    const { grant } = await first.signUp()
    const second = await createTestApp({ databaseUrl: first.databaseUrl, clock: first.clock, seed: 'second' })
    const pairs = await Promise.all(
      Array.from({ length: 24 }, (_, i) => refreshed(i % 2 ? first : second, grant.refresh_token!)),
    )
    expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1)
    await second.close()
    await first.close()
  })
})
