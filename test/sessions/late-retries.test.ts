import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { closeApps, createApps, withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { audit, me, type Pair, refresh, refreshed } from './support.ts'

const from = (app: TestApp, token: string, peer: string, userAgent: string) =>
  app.request('POST', '/token/refresh', {
    json: { refresh_token: token },
    peer,
    headers: { 'user-agent': userAgent },
  })

const pairFrom = async (...request: Parameters<typeof from>): Promise<Pair> => {
  const response = await from(...request)
  expect(response.status).toBe(200)
  return (await response.json()) as Pair
}

const reused = 'session.refresh_token_reused'

describeEachDialect('late retries of a refresh', (dialect) => {
  test('12.A4 are three in a session, each an event with its address; the fourth is reuse', () =>
    withApp({ dialect }, async (app) => {
      let { refresh_token: token } = (await app.signUp()).grant as unknown as Pair
      for (let turn = 0; turn < 3; turn++) {
        const lost = await refreshed(app, token)
        await app.clock.advance(11 * SECOND)
        const again = await app.request('POST', '/token/refresh', {
          json: { refresh_token: token },
          peer: `198.51.100.${turn}`,
        })
        expect(((await again.json()) as Pair).refresh_token).toBe(lost.refresh_token)
        token = lost.refresh_token
      }
      const rows = await audit(app, 'session.refresh_retried')
      expect(rows.map(({ ip, userId, sessionId }) => [ip, userId, sessionId === null])).toEqual([
        ['198.51.100.0', 1, false],
        ['198.51.100.1', 1, false],
        ['198.51.100.2', 1, false],
      ])
      const lost = await refreshed(app, token)
      await app.clock.advance(11 * SECOND)
      await expectRefusal(await refresh(app, token), 'invalid_refresh_token')
      await expectRefusal(await refresh(app, lost.refresh_token), 'invalid_refresh_token')
      expect(await audit(app, reused)).toHaveLength(1)
      expect(await audit(app, 'session.refresh_retried')).toHaveLength(3)
    }))

  test('12.A4 are not needed within the grace, however often it is used', () =>
    withApp({ dialect }, async (app) => {
      let { refresh_token: token } = (await app.signUp()).grant as unknown as Pair
      for (let turn = 0; turn < 6; turn++) {
        const next = await refreshed(app, token)
        await app.clock.advance(10 * SECOND)
        expect((await refreshed(app, token)).refresh_token).toBe(next.refresh_token)
        token = next.refresh_token
      }
      expect(await audit(app, 'session.refresh_retried')).toEqual([])
    }))

  test('12.A4 end a session that a thief and its owner share by turns, with tokens that Keyward never sees', () =>
    withApp({ dialect }, async (app) => {
      let { refresh_token: token } = (await app.signUp()).grant as unknown as Pair
      const turns: number[] = []
      for (let turn = 0; turn < 6; turn++) {
        const thief = await refresh(app, token)
        await app.clock.advance(12 * SECOND)
        const owner = await refresh(app, token)
        await app.clock.advance(12 * SECOND)
        turns.push(thief.status, owner.status)
        if (thief.status === 200) token = ((await thief.json()) as Pair).refresh_token
      }
      expect(turns).toEqual([200, 200, 200, 200, 200, 200, 200, 401, 401, 401, 401, 401])
      expect(await audit(app, reused)).toHaveLength(1)
    }))

  test('12.A4 from another network and another user agent are reuse; from one of these they are not', async () => {
    const [home, away] = ['192.0.2.7', '203.0.113.9']
    const cases = [
      { peer: away, agent: 'thief/1', passes: false },
      { peer: away, agent: 'app/1', passes: true },
      { peer: home, agent: 'app/2', passes: true },
    ]
    for (const { peer, agent, passes } of cases)
      await withApp({ dialect }, async (app) => {
        const { refresh_token: token } = (await app.signUp()).grant as unknown as Pair
        const next = await pairFrom(app, token, home, 'app/1')
        await app.clock.advance(MINUTE)
        const late = await from(app, token, peer, agent)
        expect([agent, peer, late.status]).toEqual([agent, peer, passes ? 200 : 401])
        expect((await from(app, next.refresh_token, home, 'app/1')).status).toBe(passes ? 200 : 401)
        expect((await audit(app, reused)).map(({ ip }) => ip)).toEqual(passes ? [] : [peer])
      })
  })

  test('12.A4 from another address of the same IPv6 network are no reuse', () =>
    withApp({ dialect }, async (app) => {
      const { refresh_token: token } = (await app.signUp()).grant as unknown as Pair
      await pairFrom(app, token, '2001:db8:1:2::1', 'app/1')
      await app.clock.advance(MINUTE)
      await pairFrom(app, token, '2001:db8:1:2:3:4:5:6', 'app/2')
    }))

  test('12.A4 of many tabs at two processes at the same moment are one', async () => {
    const apps = await createApps(2, { dialect })
    let { refresh_token: token } = (await apps[0]!.signUp()).grant as unknown as Pair
    for (let turn = 0; turn < 4; turn++) {
      const lost = await refreshed(apps[0]!, token)
      await apps[0]!.clock.advance(11 * SECOND)
      const tabs = await Promise.all(Array.from({ length: 24 }, (_, tab) => refresh(apps[tab % 2]!, token)))
      expect(tabs.map(({ status }) => status)).toEqual(Array(24).fill(turn < 3 ? 200 : 401))
      expect(await audit(apps[0]!, 'session.refresh_retried')).toHaveLength(Math.min(turn + 1, 3))
      expect(await me(apps[0]!, lost.access_token)).toBe(turn < 3 ? 200 : 401)
      token = lost.refresh_token
    }
    expect(await audit(apps[1]!, reused)).toHaveLength(1)
    await closeApps(apps)
  })
})
