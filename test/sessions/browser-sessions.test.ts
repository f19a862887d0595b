import { describe, expect, test } from 'bun:test'
import { makeCookie } from '../../src/features/sessions/cookie.ts'
import { createRefreshTokens } from '../../src/features/sessions/refresh-token.ts'
import { createSessionMacs } from '../../src/features/sessions/session-mac.ts'
import { DAY, HOUR, MINUTE } from '../../src/lib/clock.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest, withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { type Browser, goesOn, grant, OFFLINE, origin, refreshAt, signIn, used } from './kinds.ts'
import { audit, dataKey, me, refresh, sessionIdOf } from './support.ts'

const refusal = (code: string) => ({ code })

/** What the cookie finds. */
const found = async (app: TestApp, { cookie }: Browser) => (await app.process.sessions.findByCookie(cookie))?.id

const endBrowser = async (app: TestApp, user: SignedUp, { id }: Browser) =>
  app.process.sessions.endBrowser({ id, user: await app.admin.user(user.id) }, origin.ip)

describeEachDialect('a browser session', (dialect) => {
  const app = appPerTest({ dialect })

  test('I1: its cookie is no refresh token, no refresh token is a cookie, and no altered cookie counts', async () => {
    const user = await app.signUp()
    const browser = await signIn(app, user)
    const other = await signIn(app, user)
    const client = await grant(app, user, { parent: browser })
    expect(await app.process.sessions.findByCookie(browser.cookie)).toEqual({
      id: browser.id,
      user: await app.admin.user(user.id),
      authTime: app.clock.now(),
      amr: ['pwd'],
      acr: 'aal1',
      isRemembered: false,
      createdAt: app.clock.now(),
    })
    await expectRefusal(await refresh(app, browser.cookie), 'invalid_refresh_token')
    await expectRefusal(await refresh(app, browser.cookie.replace('kws_', 'kwr_')), 'invalid_refresh_token')
    const { cookie } = browser
    const wrong = [user.grant.refresh_token!, client.token, '', 'kws_', `${cookie}=`, `${cookie}A`, ` ${cookie}`]
    wrong.push(cookie.slice(0, -1), cookie.slice(0, 40), cookie.toUpperCase(), cookie.replace('kws_', 'kwr_'))
    wrong.push(cookie.slice(0, 27) + other.cookie.slice(27), other.cookie.slice(0, 27) + cookie.slice(27))
    for (let at = 4; at < cookie.length; at++)
      wrong.push(cookie.slice(0, at) + (cookie[at] === 'A' ? 'B' : 'A') + cookie.slice(at + 1))
    for (const text of wrong) expect([text, await app.process.sessions.findByCookie(text)]).toEqual([text, undefined])
    expect(await found(app, browser)).toBe(browser.id)
  })

  test('G3: even a genuine MAC makes no session one of another kind', async () => {
    const user = await app.signUp()
    const browser = await signIn(app, user)
    const rows = await app.rows.sessions.all()
    const cookies = createSessionMacs(await keysOf(app, 'browser_session'))
    const api = rows.find(({ kind }) => kind === 'api')!
    const ofBrowser = rows.find(({ kind }) => kind === 'browser')!
    expect(makeCookie(cookies, ofBrowser)).toBe(browser.cookie)
    expect(await app.process.sessions.findByCookie(makeCookie(cookies, api))).toBeUndefined()
    const tokens = createRefreshTokens(createSessionMacs(await keysOf(app, 'refresh_token')))
    expect(tokens(api).make(0)).toBe(user.grant.refresh_token!)
    await expectRefusal(await refresh(app, tokens(ofBrowser).make(0)), 'invalid_refresh_token')
    await expect(refreshAt(app, tokens(ofBrowser).make(0))).rejects.toMatchObject(refusal('invalid_refresh_token'))
    expect((await app.rows.sessions.one({ id: browser.id })).generation).toBe(0)
  })

  test('F7: ends 12 hours after the last use and a day after the sign-in; a use is recorded every 5 minutes', async () => {
    const user = await app.signUp()
    const begun = app.clock.now()
    const at = (ms: number) => app.clock.setWall(begun + ms)
    const [idle, inUse] = [await signIn(app, user), await signIn(app, user)]
    const read = () => app.rows.sessions.one({ id: inUse.id })
    at(5 * MINUTE - 1)
    await used(app, inUse)
    expect((await read()).refreshedAt).toBe(begun)
    at(11 * HOUR)
    await used(app, inUse)
    expect(await read()).toMatchObject({ refreshedAt: begun + 11 * HOUR, expiresAt: begun + 23 * HOUR })
    at(12 * HOUR)
    expect(await found(app, idle)).toBeUndefined()
    at(22 * HOUR)
    await used(app, inUse)
    expect((await read()).expiresAt).toBe(begun + DAY)
    at(DAY - 1)
    expect(await found(app, inUse)).toBe(inUse.id)
    at(DAY)
    expect(await found(app, inUse)).toBeUndefined()
  })

  test('F7: lasts 30 days with "keep me signed in", whether it is used or not', async () => {
    const user = await app.signUp()
    const browser = await signIn(app, user, { isRemembered: true })
    app.clock.setWall(app.clock.now() + 30 * DAY - 1)
    await used(app, browser)
    expect(await app.process.sessions.findByCookie(browser.cookie)).toMatchObject({ isRemembered: true })
    app.clock.setWall(app.clock.now() + 1)
    expect(await found(app, browser)).toBeUndefined()
  })

  test('is a login: it counts, makes the device known, and ends with all sessions or a deactivation', async () => {
    const user = await app.signUp()
    const [first, second] = [await signIn(app, user), await signIn(app, user)]
    expect(await audit(app, 'login.succeeded')).toHaveLength(3)
    expect(await app.rows.devices.count({ userId: user.id })).toBe(3)
    const token = user.grant.access_token
    await app.request('DELETE', '/users/me/sessions?except=current', { token })
    expect([await found(app, first), await found(app, second), await me(app, token)]).toEqual([
      undefined,
      undefined,
      200,
    ])
    const third = await signIn(app, user)
    await app.admin.deactivate(user.id)
    expect(await found(app, third)).toBeUndefined()
    await app.admin.activate(user.id)
    expect(await found(app, third)).toBeUndefined()
  })
})

describeEachDialect('a sign-in in a browser that is signed in', (dialect) => {
  const app = appPerTest({ dialect })

  test('G3: replaces the session; those of clients move to it and take its end', async () => {
    const user = await app.signUp()
    const begun = app.clock.now()
    const first = await signIn(app, user)
    const online = await grant(app, user, { parent: first })
    const offline = await grant(app, user, { parent: first, scope: OFFLINE })
    app.clock.setWall(begun + 10 * HOUR)
    const second = await signIn(app, user, { replaces: first.id, isRemembered: true })
    expect([await found(app, first), await found(app, second)]).toEqual([undefined, second.id])
    expect(await app.rows.sessions.one({ id: online.id })).toMatchObject({
      parentId: second.id,
      authTime: begun,
      expiresAt: begun + 30 * DAY,
    })
    expect((await app.rows.sessions.one({ id: offline.id })).expiresAt).toBe(begun + 30 * DAY)
    const third = await signIn(app, user, { replaces: second.id })
    expect((await app.rows.sessions.one({ id: online.id })).expiresAt).toBe(begun + 10 * HOUR + DAY)
    await endBrowser(app, user, third)
    expect([await goesOn(app, online), await goesOn(app, offline)]).toEqual([false, true])
  })

  test('G3: by another user ends the session and those of clients in it, except offline ones', async () => {
    const [ada, bob] = [await app.signUp('ada'), await app.signUp('bob')]
    const first = await signIn(app, ada)
    const online = await grant(app, ada, { parent: first })
    const offline = await grant(app, ada, { parent: first, scope: OFFLINE })
    const second = await signIn(app, bob, { replaces: first.id })
    expect([await found(app, first), await found(app, second)]).toEqual([undefined, second.id])
    expect([await goesOn(app, online), await goesOn(app, offline)]).toEqual([false, true])
    expect((await audit(app, 'session.ended')).map(({ userId, details }) => [userId, JSON.parse(details!)])).toEqual([
      [ada.id, { reason: 'replaced' }],
      [ada.id, { reason: 'browser_session_ended', client_id: 'kwa_a' }],
    ])
    // The id of a login that is no browser session is left alone.
    await signIn(app, bob, { replaces: sessionIdOf(ada.grant as never) })
    expect(await me(app, ada.grant.access_token)).toBe(200)
  })
})

describe('a cookie', () => {
  test('is void after `keyward secrets renew`, and the next one counts', () =>
    withApp({}, async (app) => {
      const user = await app.signUp()
      const browser = await signIn(app, user)
      await app.admin.renewSecrets({ apiKeys: false })
      expect(await found(app, browser)).toBeUndefined()
      expect(await found(app, await signIn(app, user))).toBeString()
    }))

  test('is not remembered with REMEMBER_ME_DAYS=0, and ends at once where it was', () =>
    withApp({ env: { REMEMBER_ME_DAYS: '0' } }, async (app) => {
      const user = await app.signUp()
      const browser = await signIn(app, user, { isRemembered: true })
      expect(await app.process.sessions.findByCookie(browser.cookie)).toMatchObject({ isRemembered: false })
      await app.rows.sessions.change({ id: browser.id }, { isRemembered: true })
      expect(await found(app, browser)).toBeUndefined()
    }))
})

async function keysOf(app: TestApp, purpose: 'browser_session' | 'refresh_token') {
  const key = await dataKey(app, purpose)
  return () => [key] as const
}
