import { expect, test } from 'bun:test'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { grant, signIn } from '../sessions/kinds.ts'
import { turns } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest, withApp } from '../support/hooks.ts'
import { type Endpoints, fakeEndpoints } from './support.ts'

const shop = 'https://shop.example/logout'
const forum = 'https://forum.example/logout'

describeEachDialect('logouts of clients', (dialect) => {
  const apps = appsPerTest()

  const open = (endpoints: Endpoints, options: { databaseUrl?: string; clock?: TestApp['clock'] } = {}) =>
    apps.open({
      dialect,
      ...options,
      env: { METRICS_TOKEN: 'a-token-for-the-metrics' },
      replace: { outgoing: () => endpoints.outgoing },
    })
  const client = async (app: TestApp, backchannelLogoutUri: string | null = shop) =>
    (await app.admin.createClient({ backchannelLogoutUri, idTokenAlg: 'ES256' })).client.id
  const queue = (app: TestApp) => app.rows.logoutDeliveries.all()
  const audited = async (app: TestApp) =>
    (await app.rows.auditEvents.all()).filter(({ event }) => event.startsWith('logout.'))
  const metric = async (app: TestApp, name: string) => {
    const text = await (await app.request('GET', '/metrics', { token: 'a-token-for-the-metrics' })).text()
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
  }

  test('U13: a client is told when its session ends with the browser session, an offline one and others are not', async () => {
    const endpoints = fakeEndpoints()
    const app = await open(endpoints)
    const ada = await app.signUp()
    const browser = await signIn(app, ada)
    const id = await client(app)
    const silent = await client(app, null)
    const told = await grant(app, ada, { parent: browser, client: id })
    await grant(app, ada, { parent: browser, client: id, scope: 'openid offline_access' })
    await grant(app, ada, { parent: browser, client: silent })
    const user = await app.admin.user(ada.id)
    await app.process.sessions.endBrowser({ id: browser.id, user }, '192.0.2.1')
    await app.process.deliverLogouts()

    expect(endpoints.received).toHaveLength(1)
    const [{ url, body, token, headers }] = endpoints.received as [Endpoints['received'][number]]
    expect([url, headers]).toEqual([shop, { 'content-type': 'application/x-www-form-urlencoded' }])
    expect([...new URLSearchParams(body).keys()]).toEqual(['logout_token'])
    const keys = (await (await app.request('GET', '/.well-known/jwks.json')).json()) as JSONWebKeySet
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer: 'http://localhost:8000',
      audience: id,
      typ: 'logout+jwt',
      algorithms: ['ES256'],
      currentDate: new Date(app.clock.now()),
    })
    expect(payload).toMatchObject({ sub: String(ada.id), sid: told.id })
    expect(payload).not.toHaveProperty('nonce')
    expect(await queue(app)).toEqual([])
    expect(await audited(app)).toMatchObject([
      {
        event: 'logout.delivered',
        userId: ada.id,
        sessionId: told.id,
        details: JSON.stringify({ client_id: id, attempts: 1 }),
      },
    ])
    expect([await metric(app, 'keyward_logouts_total'), await metric(app, 'keyward_logout_queue_length')]).toEqual([
      1, 0,
    ])
  })

  test('are sent when an administrator ends the sessions, the password changes or the user is deleted', async () => {
    const endpoints = fakeEndpoints()
    const app = await open(endpoints)
    const id = await client(app)
    const sessions: string[] = []
    for (const [name, end] of Object.entries({
      ada: (user: number) => app.admin.setPassword(user, 'another correct horse'),
      bob: (user: number) => app.admin.deactivate(user),
      eve: (user: number) => app.admin.deleteUser(user),
    })) {
      const user = await app.signUp(name)
      sessions.push((await grant(app, user, { client: id })).id)
      await end(user.id)
      await app.process.deliverLogouts()
    }
    expect(endpoints.received.map(({ token }) => decodeJwt(token).sid as string)).toEqual(sessions)
    // DECISIONS 7: of a deleted user, only the id stays.
    const events = await audited(app)
    expect(events.map(({ sessionId }) => sessionId)).toEqual([sessions[0]!, sessions[1]!, null])
    expect(await queue(app)).toEqual([])
  })

  test('a client that does not answer gets a new token after 1, 5 and 30 minutes, 2 and 12 hours, and then no more', async () => {
    const endpoints = fakeEndpoints()
    const app = await open(endpoints)
    const ada = await app.signUp()
    const id = await client(app)
    const { id: sid } = await grant(app, ada, { client: id })
    endpoints.answer(shop, 302)
    await app.admin.deactivate(ada.id)
    await app.process.deliverLogouts()
    expect(await queue(app)).toMatchObject([{ attempts: 1, lastError: 'status 302', nextAt: app.clock.now() + MINUTE }])
    expect(await metric(app, 'keyward_logout_queue_length')).toBe(1)
    const answers = [500, 400, 'unreachable', 201, 404] as const
    for (const [at, pause] of [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR].entries()) {
      endpoints.answer(shop, answers[at]!)
      await app.clock.advance(pause - SECOND)
      await app.process.deliverLogouts()
      expect(endpoints.received).toHaveLength(at + 1)
      await app.clock.advance(SECOND)
      await app.process.deliverLogouts()
      expect(endpoints.received).toHaveLength(at + 2)
    }
    expect(await queue(app)).toEqual([])
    expect(await audited(app)).toMatchObject([
      {
        event: 'logout.failed',
        userId: ada.id,
        sessionId: sid,
        details: JSON.stringify({ client_id: id, attempts: 6 }),
      },
    ])
    expect(await metric(app, 'keyward_logouts_given_up_total')).toBe(1)
    expect(await metric(app, 'keyward_logout_failures_total')).toBe(6)
    const tokens = endpoints.received.map(({ token }) => decodeJwt(token))
    expect(new Set(tokens.map(({ jti }) => jti)).size).toBe(6)
    expect(tokens.map(({ exp, iat }) => exp! - iat!)).toEqual(Array(6).fill(120))
    expect(tokens.at(-1)!.iat).toBe(Math.floor(app.clock.now() / SECOND))
    await app.clock.advance(DAY)
    await app.process.deliverLogouts()
    expect(endpoints.received).toHaveLength(6)
  })

  test('go to the present address of the client, and to none when it was removed or the client is gone', async () => {
    const endpoints = fakeEndpoints()
    const app = await open(endpoints)
    const ada = await app.signUp()
    const [moved, mute, gone] = [await client(app), await client(app), await client(app)]
    for (const id of [moved, mute, gone]) await grant(app, ada, { client: id })
    endpoints.answer(shop, 503)
    await app.admin.deactivate(ada.id)
    await app.process.deliverLogouts()
    expect(await queue(app)).toHaveLength(3)
    await app.admin.clients.update(moved, { backchannelLogoutUri: forum })
    await app.admin.clients.update(mute, { backchannelLogoutUri: null })
    await app.admin.clients.remove(gone)
    endpoints.received.length = 0
    await app.clock.advance(MINUTE)
    await app.process.deliverLogouts()
    expect(endpoints.received.map(({ url }) => url)).toEqual([forum])
    await app.process.cleanUp()
    expect(await queue(app)).toEqual([])
    expect((await audited(app)).map(({ event }) => event)).toEqual(['logout.delivered'])
  })

  test('of two processes each is sent once, and one that crashed is sent by the other after a minute', async () => {
    const endpoints = fakeEndpoints()
    const first = await open(endpoints)
    const second = await open(endpoints, { databaseUrl: first.databaseUrl, clock: first.clock })
    const ada = await first.signUp()
    const ids = [await client(first), await client(first, forum)]
    for (let i = 0; i < 12; i++) await grant(first, ada, { client: ids[i % 2]! })
    // The row is there, and no process was told of it, as after a crash.
    await first.admin.deactivate(ada.id)
    await Promise.all([first, second, first, second].map((app) => app.process.deliverLogouts()))
    const sids = endpoints.received.map(({ token }) => decodeJwt(token).sid)
    expect([sids.length, new Set(sids).size]).toEqual([12, 12])
    expect(await audited(first)).toHaveLength(12)

    const bob = await first.signUp('bob')
    await grant(first, bob, { client: ids[0]! })
    endpoints.answer(shop, 'hangs')
    await first.admin.deactivate(bob.id)
    while (endpoints.hanging() === 0) await turns(1)
    endpoints.answer(shop, 503)
    await second.process.deliverLogouts()
    expect(await queue(first)).toMatchObject([{ attempts: 1, lastError: null }])
    await first.clock.advance(MINUTE)
    await second.process.deliverLogouts()
    const later = { attempts: 2, lastError: 'status 503', nextAt: first.clock.now() + 5 * MINUTE }
    expect(await queue(first)).toMatchObject([later])
    // The first attempt ends after all, and changes nothing.
    endpoints.endHanging()
    await first.process.deliverLogouts()
    expect(await queue(first)).toMatchObject([later])
    endpoints.answer(shop, 200)
    await first.clock.advance(5 * MINUTE)
    await Promise.all([first, second].map((app) => app.process.deliverLogouts()))
    expect(await audited(first)).toHaveLength(13)
    expect(endpoints.received).toHaveLength(15)
  })

  test('Q3: a client that hangs holds up neither the request nor the logouts of other clients', async () => {
    const endpoints = fakeEndpoints()
    const app = await open(endpoints)
    const ada = await app.signUp()
    const [slow, quick] = [await client(app), await client(app, forum)]
    for (let i = 0; i < 15; i++) await grant(app, ada, { client: slow })
    for (let i = 0; i < 7; i++) await grant(app, ada, { client: quick })
    endpoints.answer(shop, 'hangs')
    await app.admin.deactivate(ada.id)
    const deliveredTo = async (id: string) => (await audited(app)).filter(({ details }) => details?.includes(id)).length
    while ((await deliveredTo(quick)) < 7) await turns(5)
    expect(endpoints.received.filter(({ url }) => url === shop).length).toBe(4)
    expect(endpoints.hanging()).toBe(4)
    expect(await queue(app)).toHaveLength(15)
    // Each that ends makes room for the next one.
    endpoints.answer(shop, 200)
    endpoints.endHanging()
    await app.process.deliverLogouts()
    expect(await deliveredTo(slow)).toBe(11)
    await app.clock.advance(MINUTE)
    await app.process.deliverLogouts()
    expect(await deliveredTo(slow)).toBe(15)
  })

  test('are queued only if the transaction is committed, and given up after 15 hours without a server', async () => {
    const endpoints = fakeEndpoints()
    const app = await open(endpoints)
    const ada = await app.signUp()
    const id = await client(app)
    const session = await grant(app, ada, { client: id })
    const rolledBack = app.process.transaction(async () => {
      await app.admin.deactivate(ada.id)
      throw new Error('no')
    })
    await expect(rolledBack).rejects.toThrow('no')
    await app.process.deliverLogouts()
    expect([endpoints.received, await queue(app)]).toEqual([[], []])

    const now = app.clock.now()
    await app.rows.logoutDeliveries.add({
      clientId: id,
      userId: ada.id,
      sessionId: session.id,
      nextAt: now,
      createdAt: now,
    })
    await app.clock.advance(15 * HOUR + 1)
    await app.process.cleanUp()
    expect(endpoints.received).toEqual([])
    expect(await audited(app)).toMatchObject([
      { event: 'logout.failed', details: JSON.stringify({ client_id: id, attempts: 0 }) },
    ])
  })
})

test('Q1: a logout does not go to this machine, unless OUTGOING_ADDRESSES=private', async () => {
  const bodies: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      bodies.push(`${request.method} ${request.headers.get('content-type')} ${await request.text()}`)
      return new Response(null, { status: 204 })
    },
  })
  for (const addresses of ['public', 'private'])
    await withApp({ env: { OUTGOING_ADDRESSES: addresses } }, async (app) => {
      const ada = await app.signUp()
      const uri = `http://127.0.0.1:${server.port}/logout`
      const { client } = await app.admin.createClient({ backchannelLogoutUri: uri, idTokenAlg: 'ES256' })
      await grant(app, ada, { client: client.id })
      await app.admin.deactivate(ada.id)
      await app.process.deliverLogouts()
      const left = await app.rows.logoutDeliveries.all()
      expect(left.map(({ lastError }) => lastError)).toEqual(
        addresses === 'public' ? ['url_refused: the address must begin with https:, not http:'] : [],
      )
    })
  expect(bodies).toEqual([expect.stringMatching(/^POST application\/x-www-form-urlencoded logout_token=[\w.-]+$/)])
  await server.stop(true)
})
