import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { closeApps, createApps, withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { audit, loggedIn, me, type Pair, refresh, refreshed, sessionIdOf } from './support.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'
const iphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1'

interface View {
  id: string
  current: boolean
  device: string | null
  [member: string]: unknown
}

async function list(app: TestApp, pair: Pair): Promise<View[]> {
  const response = await app.request('GET', '/users/me/sessions', { token: pair.access_token })
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  return (await response.json()) as View[]
}

const pairOf = ({ grant }: SignedUp): Pair => grant as unknown as Pair

const logInFrom = async (app: TestApp, user: SignedUp, userAgent: string | undefined, peer: string): Promise<Pair> => {
  const response = await app.request('POST', '/token', {
    form: { username: user.username, password: user.password },
    headers: userAgent === undefined ? {} : { 'user-agent': userAgent },
    peer,
  })
  return (await response.json()) as Pair
}

const isOver = async (app: TestApp, pair: Pair): Promise<boolean> => {
  const alive = (await me(app, pair.access_token)) === 200
  const refreshes = (await refresh(app, pair.refresh_token)).status === 200
  expect(alive).toBe(refreshes)
  return !alive
}

describeEachDialect('the user’s sessions', (dialect) => {
  test('G1: are listed with device, address and times, last used first, the current one marked', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      await app.signUp('bea')
      const begun = app.clock.now()
      await app.clock.advance(MINUTE)
      const phone = await logInFrom(app, ada, iphone, '198.51.100.7')
      await app.clock.advance(MINUTE)
      const desk = await logInFrom(app, ada, firefox, '2001:db8::1')
      await app.clock.advance(MINUTE)
      const used = app.clock.now()
      await app.request('POST', '/token/refresh', {
        json: { refresh_token: phone.refresh_token },
        headers: { 'user-agent': iphone },
        peer: '203.0.113.9',
      })
      const sessions = await list(app, desk)
      expect(sessions.map(({ current, device, ip }) => ({ current, device, ip }))).toEqual([
        { current: false, device: 'Safari on iOS', ip: '203.0.113.9' },
        { current: true, device: 'Firefox on Linux', ip: '2001:db8::1' },
        { current: false, device: null, ip: '192.0.2.1' },
      ])
      expect(sessions[0]).toEqual({
        id: sessionIdOf(phone),
        current: false,
        created_at: new Date(begun + MINUTE).toISOString(),
        last_used_at: new Date(used).toISOString(),
        expires_at: new Date(used + 30 * DAY).toISOString(),
        ip: '203.0.113.9',
        user_agent: iphone,
        device: 'Safari on iOS',
        amr: ['pwd'],
        kind: 'api',
        client: null,
      })
      expect(sessions[2]!.user_agent).toBeNull()
    }))

  test('show 512 characters of a user agent, and the name of an unknown program', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const long = await logInFrom(app, ada, `curl/8.14.1 ${'x'.repeat(2_000)}`, '192.0.2.1')
      const [session] = (await list(app, long)).filter(({ current }) => current)
      expect(session!.user_agent).toHaveLength(512)
      expect(session!.device).toBe('curl')
    }))

  test('E13, F8: can be ended one by one: tokens of that session are refused at once, others are not', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const [one, two] = [await loggedIn(app, ada), await loggedIn(app, ada)]
      const remove = (id: string) =>
        app.request('DELETE', `/users/me/sessions/${id}`, { token: pairOf(ada).access_token })
      expect((await remove(sessionIdOf(one))).status).toBe(204)
      expect(await isOver(app, one)).toBe(true)
      expect(await isOver(app, two)).toBe(false)
      await expectRefusal(await remove(sessionIdOf(one)), 'session_not_found')
      expect((await remove(sessionIdOf(pairOf(ada)))).status).toBe(204)
      await expectRefusal(await remove(sessionIdOf(two)), 'invalid_token')
      expect((await audit(app, 'session.ended')).map(({ details }) => details)).toEqual(
        Array(2).fill('{"reason":"ended_by_user"}'),
      )
    }))

  test('G2: of another user are not found, nor is anything else in the path', () =>
    withApp({ dialect }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      const { access_token: token } = pairOf(bea)
      const remove = (id: string) => app.request('DELETE', `/users/me/sessions/${id}`, { token })
      for (const id of [
        sessionIdOf(pairOf(ada)),
        'x',
        'a@example.com',
        'A'.repeat(22),
        '~'.repeat(22),
        'A'.repeat(2_000),
      ])
        await expectRefusal(await remove(id), 'session_not_found')
      // A percent-encoded path is no route at all.
      for (const id of ['%00', '%F0%9F%92%A9', '%27%20or%201=1']) await expectRefusal(await remove(id), 'not_found')
      expect(await isOver(app, pairOf(ada))).toBe(false)
      expect(await list(app, pairOf(bea))).toHaveLength(1)
    }))

  test('F8: can be ended all at once, or all but the current one', () =>
    withApp({ dialect }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      const others = [await loggedIn(app, ada), await loggedIn(app, ada)]
      const end = (query: string, pair: Pair) =>
        app.request('DELETE', `/users/me/sessions${query}`, { token: pair.access_token })
      await expectRefusal(await end('?except=curent', pairOf(ada)), 'validation_failed')
      for (const query of [
        '?exept=current',
        '?except=current&except=current',
        '?except=current?',
        '?except=current&all',
      ])
        await expectRefusal(await end(query, pairOf(ada)), 'validation_failed')
      expect((await end('?except=current', others[0]!)).status).toBe(204)
      const next = await refreshed(app, others[0]!.refresh_token)
      expect(await me(app, others[0]!.access_token)).toBe(200)
      for (const pair of [pairOf(ada), others[1]!]) expect(await isOver(app, pair)).toBe(true)
      expect(await list(app, next)).toHaveLength(1)
      expect((await end('', next)).status).toBe(204)
      expect(await isOver(app, next)).toBe(true)
      expect(await isOver(app, pairOf(bea))).toBe(false)
      expect(await isOver(app, await loggedIn(app, ada))).toBe(false)
    }))

  test('that end each other at the same moment: one succeeds, the other gets 401 and ends nothing', async () => {
    const apps = await createApps(2, { dialect })
    const ada = await apps[0]!.signUp()
    for (let round = 0; round < 5; round++) {
      const pairs = await Promise.all(Array.from({ length: 4 }, () => loggedIn(apps[0]!, ada)))
      const answers = await Promise.all(
        pairs.map((pair, at) =>
          apps[at % 2]!.request('DELETE', '/users/me/sessions?except=current', { token: pair.access_token }),
        ),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 401, 401, 401])
      for (const [at, pair] of pairs.entries()) expect(await isOver(apps[0]!, pair)).toBe(answers[at]!.status !== 204)
    }
    await closeApps(apps)
  })

  test('E13, F8: end with a logout, including the access token', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const other = await loggedIn(app, ada)
      const logout = () => app.request('POST', '/logout', { token: pairOf(ada).access_token })
      const done = await logout()
      expect([done.status, await done.text()]).toEqual([204, ''])
      expect(await isOver(app, pairOf(ada))).toBe(true)
      await expectRefusal(await logout(), 'invalid_token')
      expect(await isOver(app, other)).toBe(false)
      const [row] = await audit(app, 'session.ended')
      expect(row).toMatchObject({ userId: ada.id, sessionId: sessionIdOf(pairOf(ada)), ip: '192.0.2.1' })
    }))

  test('G5: number at most MAX_SESSIONS_PER_USER: a new one ends the longest idle one of the same user', () =>
    withApp({ dialect, env: { MAX_SESSIONS_PER_USER: '3' } }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      const next = async () => {
        await app.clock.advance(1)
        return loggedIn(app, ada)
      }
      const [second, third] = [await next(), await next()]
      await app.clock.advance(1)
      const first = await refreshed(app, pairOf(ada).refresh_token)
      const fourth = await next()
      expect(await me(app, second.access_token)).toBe(401)
      for (const pair of [first, third, fourth]) expect(await me(app, pair.access_token)).toBe(200)
      expect(await list(app, fourth)).toHaveLength(3)
      expect(await isOver(app, pairOf(bea))).toBe(false)
    }))

  test('never end at their own login, even if the clock was set back', () =>
    withApp({ dialect, env: { MAX_SESSIONS_PER_USER: '2' } }, async (app) => {
      const ada = await app.signUp()
      await loggedIn(app, ada)
      app.clock.setWall(app.clock.now() - DAY)
      for (let at = 0; at < 4; at++) expect(await isOver(app, await loggedIn(app, ada))).toBe(false)
    }))

  test('do not exceed that number with many parallel logins', async () => {
    const apps = await createApps(2, { dialect, env: { MAX_SESSIONS_PER_USER: '3' } })
    const ada = await apps[0]!.signUp()
    const pairs = await Promise.all(Array.from({ length: 12 }, (_, at) => loggedIn(apps[at % 2]!, ada)))
    const alive = []
    for (const pair of pairs) if ((await me(apps[0]!, pair.access_token)) === 200) alive.push(pair)
    // The session of the sign-up may be the third.
    expect(await list(apps[0]!, alive[0]!)).toHaveLength(3)
    await closeApps(apps)
  })

  test('E13, F8: end with a deactivation, stay ended after a reactivation, and go with the user, also by SQL', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const change = (values: object) => app.rows.users.change({ id: ada.id }, values)
      await change({ isActive: false })
      expect(await isOver(app, pairOf(ada))).toBe(true)
      await change({ isActive: true, sessionEpoch: 7 })
      expect(await isOver(app, pairOf(ada))).toBe(true)
      await app.rows.users.remove({ id: ada.id })
      expect(await isOver(app, pairOf(ada))).toBe(true)
      expect(await app.rows.sessions.all()).toEqual([])
    }))

  test('are refused, not refreshed, if SESSION_MAX_DAYS was lowered below their age', async () => {
    const [app] = await createApps(1, { dialect })
    const ada = await app!.signUp()
    app!.clock.setWall(app!.clock.now() + 10 * DAY)
    const stricter = (
      await createApps(1, { databaseUrl: app!.databaseUrl, clock: app!.clock, env: { SESSION_MAX_DAYS: '10' } })
    )[0]!
    await expectRefusal(await refresh(stricter, pairOf(ada).refresh_token), 'invalid_refresh_token')
    await stricter.close()
    await app!.close()
  })
})
