import { expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE } from '../../src/lib/clock.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import type { Replace } from '../support/replace.ts'
import { audit, introspectionKey, loggedIn, me, type Pair, refresh, refreshed } from './support.ts'

const revoke = (app: TestApp, token: string, more: Record<string, string> = {}) =>
  app.request('POST', '/revoke', { form: { token, ...more } })

const revoked = async (app: TestApp, token: string, more = {}) => {
  const response = await revoke(app, token, more)
  expect([response.status, await response.text()]).toEqual([200, '{}'])
}

const isAlive = async (app: TestApp, pair: Pair): Promise<boolean> => (await me(app, pair.access_token)) === 200

describeEachDialect('POST /revoke', (dialect) => {
  test('F8: ends the session of a refresh token, current or previous, and of a valid access token, whatever the hint', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const witness = await loggedIn(app, ada)
      const hints = [
        {},
        { token_type_hint: 'access_token' },
        { token_type_hint: 'refresh_token' },
        { token_type_hint: '?' },
      ]
      for (const hint of hints) {
        for (const choose of [
          ({ current }: Record<'current' | 'rotated', Pair>) => current.refresh_token,
          ({ rotated }: Record<'current' | 'rotated', Pair>) => rotated.refresh_token,
          ({ current }: Record<'current' | 'rotated', Pair>) => current.access_token,
          ({ rotated }: Record<'current' | 'rotated', Pair>) => rotated.access_token,
        ]) {
          const rotated = await loggedIn(app, ada)
          const between = await refreshed(app, rotated.refresh_token)
          const current = await refreshed(app, between.refresh_token)
          await revoked(app, choose({ current, rotated }), hint)
          expect(await isAlive(app, current)).toBe(false)
          expect((await refresh(app, current.refresh_token)).status).toBe(401)
          await revoked(app, choose({ current, rotated }), hint)
        }
      }
      expect(await isAlive(app, witness)).toBe(true)
      const rows = await audit(app, 'session.ended')
      expect(rows).toHaveLength(16)
      expect(new Set(rows.map(({ details }) => details))).toEqual(new Set(['{"reason":"revoked"}']))
    }))

  test('F8: answers 200 and does nothing for a token that is expired, altered, unknown or of another kind', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const pair = await loggedIn(app, ada)
      const key = await introspectionKey(app)
      const state = async () => JSON.stringify([await app.rows.sessions.all(), await app.rows.apiKeys.all()])
      const before = await state()
      const { access_token: access, refresh_token: token } = pair
      const foreign = await createTestApp({ seed: 'a stranger' })
      const strangers = await foreign.signUp()
      for (const none of [
        'x',
        'kwr_x',
        `${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`,
        token.slice(0, -1),
        `${token}=`,
        `${access.slice(0, -4)}AAAA`,
        `${access}.`,
        strangers.grant.access_token,
        strangers.grant.refresh_token!,
        pair.device_token,
        key,
        '\u0000',
        'x'.repeat(60_000),
      ])
        await revoked(app, none)
      expect(await state()).toBe(before)
      expect(await isAlive(app, pair)).toBe(true)
      await app.clock.advance(31 * MINUTE)
      await revoked(app, access)
      await refreshed(app, token)
      await foreign.close()
    }))

  test('does nothing more to a session that has ended', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const pair = await loggedIn(app, ada)
      await app.admin.deactivate(ada.id)
      const reasons = async () => (await app.rows.sessions.all()).map(({ endReason }) => endReason)
      await revoked(app, pair.refresh_token)
      expect(await reasons()).toEqual(['deactivated', 'deactivated'])
      await app.rows.users.change({ id: ada.id }, { isActive: true })
      const expired = await loggedIn(app, ada)
      await app.clock.advance(31 * DAY)
      await revoked(app, expired.refresh_token)
      expect(await audit(app, 'session.ended')).toEqual([])
    }))

  test('refuses a malformed revocation request', () =>
    withApp({ dialect }, async (app) => {
      const { grant } = await app.signUp()
      const token = grant.refresh_token!
      await expectRefusal(await app.request('POST', '/revoke', { form: {} }), 'invalid_request')
      const twice = await app.request('POST', '/revoke', { form: `token=${token}&token=${token}` })
      expect(await expectRefusal(twice, 'invalid_request')).toMatchObject({ error: 'invalid_request' })
      expect((await refresh(app, token)).status).toBe(200)
    }))

  test('T4: is 503 if the storage fails, never 200', async () => {
    let fails = false
    const store: Replace['store'] = (real) => ({
      ...real,
      // The session can be read but not ended, as with a full disk.
      async transaction(work) {
        if (fails) await real.close()
        return real.transaction(work)
      },
    })
    const app = await createTestApp({ dialect, replace: { store } })
    const { grant } = await app.signUp()
    fails = true
    const first = await revoke(app, grant.refresh_token!)
    await expectRefusal(first, 'database_unavailable')
    fails = false
    await expectRefusal(await revoke(app, grant.refresh_token!), 'database_unavailable')
    await expectRefusal(await app.request('POST', '/logout', { token: grant.access_token }), 'database_unavailable')
    await app.close().catch(() => {})
  })
})

describeEachDialect('POST /introspect', (dialect) => {
  const introspect = (app: TestApp, credential: string | undefined, token: string) =>
    app.request('POST', '/introspect', { token: credential, form: { token } })
  const answer = async (app: TestApp, credential: string, token: string) => {
    const response = await introspect(app, credential, token)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    return (await response.json()) as Record<string, unknown>
  }

  test('requires an API key or user with tokens:introspect, and checks that before the body', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const key = await introspectionKey(app)
      const admin = await loggedIn(app, { username: 'operator', password: ada.password })
      const { access_token: token } = ada.grant
      for (const credential of [key, admin.access_token])
        expect(await answer(app, credential, token)).toMatchObject({ active: true })
      expect(await expectRefusal(await introspect(app, undefined, token), 'not_authenticated')).toMatchObject({
        error: 'invalid_client',
      })
      for (const bad of [`${key}x`, key.slice(0, -1), ada.grant.refresh_token!, 'x'])
        await expectRefusal(await introspect(app, bad, token), 'invalid_token')
      await expectRefusal(await introspect(app, token, token), 'forbidden')
      const unread = { token, body: '{', type: 'text/plain' }
      await expectRefusal(await app.request('POST', '/introspect', unread), 'forbidden')
      await expectRefusal(await app.request('POST', '/introspect', { token: key, form: {} }), 'invalid_request')
    }))

  test('describes an access token as RFC 7662 asks, with the current name and roles', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const key = await introspectionKey(app)
      await app.rows.users.change({ id: ada.id }, { username: 'Renamed' })
      await app.rows.userRoles.add({ userId: ada.id, role: 'admin', grantedAt: 0 })
      const seconds = Math.floor(app.clock.now() / 1_000)
      expect(await answer(app, key, ada.grant.access_token)).toEqual({
        active: true,
        token_type: 'Bearer',
        iss: 'http://localhost:8000',
        sub: String(ada.id),
        aud: 'http://localhost:8000',
        client_id: 'keyward',
        username: 'Renamed',
        sid: expect.stringMatching(/^[\w-]{22}$/),
        jti: expect.stringMatching(/^[\w-]{22}$/),
        iat: seconds,
        exp: seconds + 1_800,
        auth_time: seconds,
        amr: ['pwd'],
        acr: 'aal1',
        roles: ['admin', 'user'],
      })
    }))

  test('describes the current refresh token, and neither rotates it nor counts as reuse', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const key = await introspectionKey(app)
      const next = await refreshed(app, ada.grant.refresh_token!)
      const seconds = Math.floor(app.clock.now() / 1_000)
      for (let turn = 0; turn < 3; turn++) {
        expect(await answer(app, key, next.refresh_token)).toEqual({
          active: true,
          iss: 'http://localhost:8000',
          sub: String(ada.id),
          username: 'ada',
          roles: ['user'],
          client_id: 'keyward',
          sid: expect.stringMatching(/^[\w-]{22}$/),
          auth_time: seconds,
          amr: ['pwd'],
          acr: 'aal1',
          iat: seconds,
          exp: seconds + 30 * 86_400,
        })
        expect(await answer(app, key, ada.grant.refresh_token!)).toEqual({ active: false })
      }
      await app.clock.advance(HOUR)
      expect(await answer(app, key, ada.grant.refresh_token!)).toEqual({ active: false })
      await refreshed(app, next.refresh_token)
    }))

  test('answers only "inactive" for every token that is not valid', () =>
    withApp({ dialect }, async (app) => {
      const key = await introspectionKey(app)
      const ada = await app.signUp()
      const dead = await loggedIn(app, ada)
      await app.request('POST', '/logout', { token: dead.access_token })
      const gone = await app.signUp('bea')
      await app.rows.users.remove({ id: gone.id })
      const closed = await app.signUp('cyd')
      await app.rows.users.change({ id: closed.id }, { isActive: false })
      const { access_token: access, refresh_token: token = '' } = ada.grant
      for (const none of [
        dead.access_token,
        dead.refresh_token,
        gone.grant.access_token,
        gone.grant.refresh_token!,
        closed.grant.access_token,
        closed.grant.refresh_token!,
        ada.grant.device_token!,
        key,
        'x',
        `${access}=`,
        access.slice(0, -1),
        token.slice(0, -1),
      ])
        expect([none, await answer(app, key, none)]).toEqual([none, { active: false }])
      await app.clock.advance(30 * MINUTE)
      expect(await answer(app, key, access)).toEqual({ active: false })
      expect(await answer(app, key, token)).toMatchObject({ active: true })
      await app.clock.advance(30 * DAY)
      expect(await answer(app, key, token)).toEqual({ active: false })
    }))
})
