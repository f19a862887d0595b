import { expect, test } from 'bun:test'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { type Pair, turns } from './support.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'
const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36'

async function logIn(app: TestApp, { username, password }: SignedUp, userAgent: string): Promise<Pair> {
  const headers = { 'user-agent': userAgent }
  const response = await app.request('POST', '/token', { form: { username, password }, headers })
  expect(response.status).toBe(200)
  return (await response.json()) as Pair
}

/** The device names of a user's sessions, the last begun first. */
async function devices(app: TestApp, { access_token: token }: Pair): Promise<(string | null)[]> {
  const response = await app.request('GET', '/users/me/sessions', { token })
  return ((await response.json()) as { device: string | null }[]).map(({ device }) => device)
}

describeEachDialect('the device of a session', (dialect) => {
  const withUser = (body: (app: TestApp, user: SignedUp) => Promise<void>) =>
    withApp({ dialect }, async (app) => {
      const user = await app.signUp()
      await app.rows.sessions.remove()
      await body(app, user)
    })

  test('12.A2 is named at the login, stored, and not changed by a refresh from another program', () =>
    withUser(async (app, user) => {
      const { refresh_token } = await logIn(app, user, firefox)
      expect(await app.rows.sessions.one()).toMatchObject({ deviceName: 'Firefox on Linux', userAgent: firefox })
      const refreshed = await app.request('POST', '/token/refresh', {
        json: { refresh_token },
        headers: { 'user-agent': chrome },
      })
      expect(await devices(app, (await refreshed.json()) as Pair)).toEqual(['Firefox on Linux'])
      expect(await app.rows.sessions.one()).toMatchObject({ deviceName: 'Firefox on Linux', userAgent: chrome })
    }))

  test('12.A2 is named by at most the first 256 bytes of the user agent', () =>
    withUser(async (app, user) => {
      const near = `${'-'.repeat(230)} Firefox/145.0`
      expect(await devices(app, await logIn(app, user, near))).toEqual(['Firefox'])
      await app.clock.advance(1)
      const far = `${'-'.repeat(256)} Firefox/145.0`
      expect(await devices(app, await logIn(app, user, far))).toEqual([null, 'Firefox'])
    }))

  test('12.A2 is not read from the user agent when sessions are listed', () =>
    withUser(async (app, user) => {
      const pair = await logIn(app, user, firefox)
      await app.rows.sessions.change({}, { userAgent: chrome })
      expect(await devices(app, pair)).toEqual(['Firefox on Linux'])
      await app.rows.sessions.change({}, { deviceName: '' })
      expect(await devices(app, pair)).toEqual([null])
    }))

  test('12.A2 of a session from an earlier version is named and stored at its first list', () =>
    withUser(async (app, user) => {
      await logIn(app, user, 'Nothing that has a name')
      await app.clock.advance(1)
      const pair = await logIn(app, user, firefox)
      await app.rows.sessions.change({}, { deviceName: null })
      expect(await devices(app, pair)).toEqual(['Firefox on Linux', null])
      while ((await app.rows.sessions.count({ deviceName: null })) > 0) await turns(1)
      const stored = (await app.rows.sessions.all()).map(({ deviceName }) => deviceName)
      expect(stored.sort()).toEqual(['', 'Firefox on Linux'])
      await app.rows.sessions.change({}, { userAgent: chrome })
      expect(await devices(app, pair)).toEqual(['Firefox on Linux', null])
    }))
})
