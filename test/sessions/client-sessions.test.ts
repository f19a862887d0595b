import { expect, test } from 'bun:test'
import { DAY, HOUR } from '../../src/lib/clock.ts'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest, withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { type Browser, type Granted, goesOn, grant, OFFLINE, origin, refreshAt, signIn } from './kinds.ts'
import { audit, introspectionKey, loggedIn, me, refresh, sessionIdOf, turns } from './support.ts'

const refusal = (code: string) => ({ code })

/** What the cookie finds. */
const found = async (app: TestApp, { cookie }: Browser) => (await app.process.sessions.findByCookie(cookie))?.id

const endBrowser = async (app: TestApp, user: SignedUp, { id }: Browser) =>
  app.process.sessions.endBrowser({ id, user: await app.admin.user(user.id) }, origin.ip)

describeEachDialect('the session of a client', (dialect) => {
  const app = appPerTest({ dialect })

  test('F3: of 24 parallel refreshes makes one lineage, and reuse ends it', async () => {
    const user = await app.signUp()
    const client = await grant(app, user, { parent: await signIn(app, user) })
    const answers = await Promise.all(Array.from({ length: 24 }, () => refreshAt(app, client.token)))
    expect(new Set(answers.map(({ refreshToken }) => refreshToken)).size).toBe(1)
    expect(answers[0]).toMatchObject({ generation: 1, session: client.session, user: { id: user.id } })
    const next = await refreshAt(app, answers[0]!.refreshToken)
    await expect(refreshAt(app, client.token)).rejects.toMatchObject(refusal('invalid_refresh_token'))
    await expect(refreshAt(app, next.refreshToken)).rejects.toMatchObject(refusal('invalid_refresh_token'))
    const [reused] = await audit(app, 'session.refresh_token_reused')
    expect(JSON.parse(reused!.details!)).toEqual({ presented: 0, current: 2, client_id: 'kwa_a' })
    expect((await refresh(app, user.grant.refresh_token!)).status).toBe(200)
  })

  test('F10: ends when another client sends its refresh token, current or old, and also one of no client', async () => {
    const user = await app.signUp()
    const [current, old] = [await grant(app, user), await grant(app, user)]
    await refreshAt(app, old.token)
    for (const { token } of [current, old])
      await expect(refreshAt(app, token, { client: 'kwa_b' })).rejects.toMatchObject(refusal('invalid_refresh_token'))
    expect([await goesOn(app, current), await goesOn(app, old)]).toEqual([false, false])
    const ofNoClient = await loggedIn(app, user)
    await expect(refreshAt(app, ofNoClient.refresh_token)).rejects.toMatchObject(refusal('invalid_refresh_token'))
    expect((await refresh(app, ofNoClient.refresh_token)).status).toBe(401)
    expect((await audit(app, 'session.ended')).map(({ details }) => JSON.parse(details!))).toEqual([
      { reason: 'foreign_client', client_id: 'kwa_a' },
      { reason: 'foreign_client', client_id: 'kwa_a' },
      { reason: 'foreign_client' },
    ])
  })

  test('is neither refreshed nor revoked without its client, and goes on', async () => {
    const user = await app.signUp()
    const client = await grant(app, user)
    await expectRefusal(await refresh(app, client.token), 'invalid_refresh_token')
    const form = { grant_type: 'refresh_token', refresh_token: client.token }
    expect((await app.request('POST', '/token', { form })).status).toBeOneOf([400, 401])
    await expectRefusal(await app.request('POST', '/revoke', { form: { token: client.token } }), 'invalid_client')
    expect(await app.process.sessions.clientOf(client.token)).toBe('kwa_a')
    expect(await app.process.sessions.clientOf(user.grant.refresh_token!)).toBeNull()
    expect(await app.process.sessions.clientOf('kwr_x')).toBeUndefined()
    expect((await refreshAt(app, client.token)).generation).toBe(1)
  })

  test('15.O12 keeps its refresh token when the client may not go on now, and judges old tokens first', async () => {
    const user = await app.signUp()
    const client = await grant(app, user)
    const allow = () => {
      throw new Error('not allowed')
    }
    await expect(refreshAt(app, client.token, { allow })).rejects.toThrow('not allowed')
    const next = await refreshAt(app, client.token)
    // A lost answer: the same token again asks again.
    await expect(refreshAt(app, client.token, { allow })).rejects.toThrow('not allowed')
    const last = await refreshAt(app, next.refreshToken)
    await expect(refreshAt(app, client.token, { allow })).rejects.toMatchObject(refusal('invalid_refresh_token'))
    await expect(refreshAt(app, last.refreshToken)).rejects.toMatchObject(refusal('invalid_refresh_token'))
  })

  test('15.U3 does not begin after all sessions were ended, in a session that ended, or in that of another', async () => {
    const [ada, bob] = [await app.signUp('ada'), await app.signUp('bob')]
    const [browser, ended] = [await signIn(app, ada), await signIn(app, ada)]
    await endBrowser(app, ada, ended)
    const invalid = refusal('invalid_grant')
    await expect(grant(app, ada, { parent: ended })).rejects.toMatchObject(invalid)
    await expect(grant(app, ada, { parent: ended, scope: OFFLINE })).rejects.toMatchObject(invalid)
    await expect(grant(app, bob, { parent: browser })).rejects.toMatchObject(invalid)
    const api = { id: sessionIdOf(await loggedIn(app, ada)), cookie: '' }
    await expect(grant(app, ada, { parent: api })).rejects.toMatchObject(invalid)
    await app.admin.setPassword(ada.id, 'another stapled horse')
    await expect(grant(app, ada, { epoch: 0 })).rejects.toMatchObject(invalid)
    await expect(grant(app, ada, { parent: browser })).rejects.toMatchObject(invalid)
    await app.admin.deactivate(bob.id)
    await expect(grant(app, bob)).rejects.toMatchObject(invalid)
    expect(await app.rows.sessions.count({ kind: 'client' })).toBe(0)
  })

  test('F7: ends at the end of its browser session, and offline after 30 days without a refresh', async () => {
    const user = await app.signUp()
    const begun = app.clock.now()
    const browser = await signIn(app, user)
    const remembered = await signIn(app, user, { isRemembered: true })
    const online = await grant(app, user, { parent: browser })
    const long = await grant(app, user, { parent: remembered })
    const offline = await grant(app, user, { parent: browser, scope: OFFLINE })
    const expiry = async ({ id }: Granted) => (await app.rows.sessions.one({ id })).expiresAt - begun
    expect([await expiry(online), await expiry(long), await expiry(offline)]).toEqual([DAY, 30 * DAY, 30 * DAY])
    app.clock.setWall(begun + 20 * HOUR)
    // The browser session has been idle for too long, and has not been ended by anybody.
    expect(await found(app, browser)).toBeUndefined()
    let token = (await refreshAt(app, online.token)).refreshToken
    await refreshAt(app, long.token)
    const later = (await refreshAt(app, offline.token)).refreshToken
    expect([await expiry(online), await expiry(long)]).toEqual([DAY, 30 * DAY])
    expect(await expiry(offline)).toBe(30 * DAY + 20 * HOUR)
    app.clock.setWall(begun + DAY - 1)
    token = (await refreshAt(app, token)).refreshToken
    app.clock.setWall(begun + DAY)
    await expect(refreshAt(app, token)).rejects.toMatchObject(refusal('invalid_refresh_token'))
    app.clock.setWall(begun + 30 * DAY + 20 * HOUR)
    await expect(refreshAt(app, later)).rejects.toMatchObject(refusal('invalid_refresh_token'))
  })

  test('F7: takes the end of the browser session to which it moves while it is refreshed', async () => {
    const user = await app.signUp()
    const begun = app.clock.now()
    const first = await signIn(app, user, { isRemembered: true })
    const client = await grant(app, user, { parent: first })
    let second: Browser | undefined
    const allow = async () => {
      second ??= await signIn(app, user, { replaces: first.id })
    }
    expect((await refreshAt(app, client.token, { allow })).generation).toBe(1)
    expect(await app.rows.sessions.one({ id: client.id })).toMatchObject({
      parentId: second?.id,
      generation: 1,
      expiresAt: begun + DAY,
    })
  })

  test('F8: ends with its browser session that ends at another Keyward while it begins', async () => {
    const other = await createTestApp({ dialect, databaseUrl: app.databaseUrl, clock: app.clock, seed: 'other' })
    const user = await app.signUp()
    const browser = await signIn(other, user)
    const begun = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const granted = app.process.transaction(async () => {
      const client = await grant(app, user, { parent: browser })
      begun.resolve()
      await release.promise
      return client
    })
    await begun.promise
    const ended = endBrowser(other, user, browser)
    // Without a lock, the end does not wait: this sees it.
    for (let at = 0; at < 50 && (await found(other, browser)); at++) await turns(5)
    release.resolve()
    const client = await granted
    await ended
    expect([await found(app, browser), await goesOn(app, client)]).toEqual([undefined, false])
    await other.close()
  })

  test('G5: a user has at most 20 at one client, which do not count as logins', async () =>
    withApp({ dialect, env: { MAX_SESSIONS_PER_USER: '2' } }, async (app) => {
      const user = await app.signUp()
      const browser = await signIn(app, user)
      const other = await grant(app, user, { parent: browser, client: 'kwa_b' })
      const all: Granted[] = []
      for (let at = 0; at < 21; at++) {
        app.clock.setWall(app.clock.now() + 1)
        all.push(await grant(app, user, { parent: browser, scope: at % 2 ? 'openid' : OFFLINE }))
      }
      const live = await Promise.all([...all, other].map((one) => goesOn(app, one)))
      expect(live).toEqual([false, ...Array<boolean>(21).fill(true)])
      expect((await refresh(app, user.grant.refresh_token!)).status).toBe(200)
      // One more login ends the browser session, which was used longest ago, with what is not offline in it.
      await loggedIn(app, user)
      expect(await found(app, browser)).toBeUndefined()
      expect(await goesOn(app, other)).toBe(false)
      const left = await Promise.all(all.map((one) => goesOn(app, one)))
      expect(left).toEqual(all.map((_, at) => at > 0 && at % 2 === 0))
    }))

  test('is ended by its client alone with its token, by a code used twice, and with its client', async () => {
    const user = await app.signUp()
    const browser = await signIn(app, user)
    const [one, two, three] = [await grant(app, user), await grant(app, user), await grant(app, user)]
    const four = await grant(app, user, { client: 'kwa_b', scope: OFFLINE, parent: browser })
    const { sessions } = app.process
    await sessions.endForClient({ token: one.token, clientId: 'kwa_b', ip: origin.ip })
    await sessions.endForClient({ token: user.grant.refresh_token!, clientId: 'kwa_a', ip: origin.ip })
    await sessions.endForClient({ token: user.grant.access_token, clientId: 'kwa_a', ip: origin.ip })
    await sessions.endForClient({ token: browser.cookie, clientId: 'kwa_a', ip: origin.ip })
    await sessions.endClientSession({ id: browser.id, reason: 'code_reused' })
    expect(await goesOn(app, one)).toBe(true)
    await sessions.endForClient({ token: one.token, clientId: 'kwa_a', ip: origin.ip })
    await sessions.endClientSession({ id: two.id, reason: 'code_reused' })
    await sessions.endClientSession({ id: two.id, reason: 'code_reused' })
    const left = async () => Promise.all([one, two, three, four].map((granted) => goesOn(app, granted)))
    expect(await left()).toEqual([false, false, true, true])
    expect(await sessions.endOfClient({ clientId: 'kwa_a', userId: user.id, reason: 'consent_withdrawn' })).toBe(1)
    expect(await left()).toEqual([false, false, false, true])
    expect(await sessions.endOfClient({ clientId: 'kwa_b', reason: 'client_deleted', limit: 1 })).toBe(1)
    expect(await sessions.endOfClient({ clientId: 'kwa_b', reason: 'client_deleted', limit: 1 })).toBe(0)
    expect(await left()).toEqual([false, false, false, false])
    expect([await found(app, browser), await me(app, user.grant.access_token)]).toEqual([browser.id, 200])
    expect((await audit(app, 'session.ended')).map(({ details }) => JSON.parse(details!).reason)).toEqual([
      'revoked',
      'code_reused',
      'consent_withdrawn',
    ])
  })

  test('is listed and introspected with its client, and the user can end it or its browser session', async () => {
    const user = await app.signUp()
    const { client } = await app.admin.createClient({ name: 'Shop' })
    const browser = await signIn(app, user)
    const online = await grant(app, user, { parent: browser, client: client.id, scope: 'openid email' })
    const offline = await grant(app, user, { parent: browser, client: client.id, scope: OFFLINE })
    const gone = await grant(app, user, { client: 'kwa_gone' })
    // No credential was checked in the network of the client's server.
    expect(await app.rows.sessions.one({ id: gone.id })).toMatchObject({ loginNetwork: null, deviceId: null })
    const key = await introspectionKey(app)
    const asked = await app.request('POST', '/introspect', { token: key, form: { token: online.token } })
    expect(await asked.json()).toMatchObject({
      active: true,
      client_id: client.id,
      scope: 'openid email',
      sid: online.id,
    })
    const token = user.grant.access_token
    const list = async () => {
      const response = await app.request('GET', '/users/me/sessions', { token })
      const rows = (await response.json()) as { id: string; kind: string; client: unknown; device: string | null }[]
      return new Map(rows.map(({ id, kind, client, device }) => [id, { kind, client, device }]))
    }
    const shop = { id: client.id, name: 'Shop', offline: false }
    const device = 'Firefox on Linux'
    expect(await list()).toEqual(
      new Map<string, unknown>([
        [sessionIdOf(user.grant as never), { kind: 'api', client: null, device: null }],
        [browser.id, { kind: 'browser', client: null, device }],
        [online.id, { kind: 'client', client: shop, device }],
        [offline.id, { kind: 'client', client: { ...shop, offline: true }, device }],
        [gone.id, { kind: 'client', client: { id: 'kwa_gone', name: null, offline: false }, device }],
      ]) as never,
    )
    const { out } = await keyward(['sessions', 'list', user.username], {
      databaseUrl: app.databaseUrl,
      clock: app.clock,
    })
    const kinds = new Map(out.split('\n').map((line) => [line.slice(0, 22), line.slice(24, 40).trim()]))
    expect([browser, online, offline, gone].map(({ id }) => kinds.get(id)?.replace(/ {2}.*/, ''))).toEqual([
      'browser',
      'Shop',
      'Shop (offline)',
      'kwa_gone',
    ])
    const exported = await app.request('POST', '/users/me/export', { token, json: { password: user.password } })
    const { sessions } = (await exported.json()) as { sessions: { id: string }[] }
    expect(sessions.find(({ id }) => id === offline.id)).toMatchObject({
      kind: 'client',
      client_id: client.id,
      scope: OFFLINE,
      resources: expect.anything(),
      parent_id: browser.id,
      is_offline: true,
    })
    const end = (id: string) => app.request('DELETE', `/users/me/sessions/${id}`, { token })
    expect((await end(gone.id)).status).toBe(204)
    expect((await end(browser.id)).status).toBe(204)
    expect([...(await list()).keys()].sort()).toEqual([sessionIdOf(user.grant as never), offline.id].sort())
    expect(await found(app, browser)).toBeUndefined()
    await expect(refreshAt(app, online.token, { client: client.id })).rejects.toMatchObject(
      refusal('invalid_refresh_token'),
    )
    await refreshAt(app, offline.token, { client: client.id })
  })
})
