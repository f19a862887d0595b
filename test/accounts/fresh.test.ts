import { describe, expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { madePasskey } from '../enrollment/support.ts'
import { audit, decode, loggedIn, refreshed, sessionIdOf } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { appPerTest, describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

/** A body that a route with the word `fresh` accepts, by route; `{}` for the others. */
const bodies: Record<string, object> = {
  'POST /users/me/factors/totp/:id/confirm': { code: '123456' },
  'POST /users/me/factors/webauthn/options': { kind: 'passkey' },
  'POST /users/me/factors/webauthn': madePasskey,
  'POST /admin/users': { email: 'new@example.com', username: 'new' },
  'PATCH /admin/users/:id': { name: 'Ada' },
  'DELETE /admin/users/:id/factors': { reason: 'Lost' },
  'DELETE /admin/users/:id/factors/:fid': { reason: 'Lost' },
  'POST /admin/roles': { name: 'support' },
  'POST /admin/clients': { name: 'Shop', redirect_uris: ['https://shop.example/cb'] },
  'POST /admin/providers': { name: 'github', kind: 'github', client_id: 'keyward', client_secret: 'secret' },
  'POST /admin/api-keys': { name: 'gateway', scopes: ['users:read'] },
}

const freshRoutes = (app: TestApp) => app.table.routes.filter(({ fresh }) => fresh)
const remove = (app: TestApp, token: string, json: object = {}) =>
  app.request('POST', '/users/me/delete', { token, json })
const tokenOf = ({ grant }: SignedUp) => grant.access_token

describeApp('a route that needs a fresh session', {}, (app) => {
  test('13.6 is 401 with the challenge of RFC 9470 when the last login is over 15 minutes ago, on every such route', async () => {
    const ada = await app.signUp()
    await app.rows.userRoles.add({ userId: ada.id, role: 'admin', grantedAt: 0 })
    const { access_token: token } = await loggedIn(app, ada)
    await app.clock.advance(15 * MINUTE + SECOND)
    expect(freshRoutes(app).length).toBeGreaterThan(0)
    for (const { method, pattern } of freshRoutes(app)) {
      const answer = await app.request(method, pattern, { token, json: bodies[`${method} ${pattern}`] ?? {} })
      await expectRefusal(answer, 'reauthentication_required')
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer realm="keyward", error="insufficient_user_authentication", max_age="900"',
      )
    }
    expect(await app.rows.users.count()).toBe(1)
  })

  test('13.6 is allowed until 15 minutes after the login, and a refresh is no login', async () => {
    const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
    await app.clock.advance(15 * MINUTE)
    expect((await remove(app, tokenOf(ada))).status).toBe(204)
    await app.clock.advance(SECOND)
    const pair = await refreshed(app, bea.grant.refresh_token!)
    await expectRefusal(await remove(app, pair.access_token), 'reauthentication_required')
    expect((await remove(app, (await loggedIn(app, bea)).access_token)).status).toBe(204)
  })

  test('13.6 takes the older of the times in the token and in the session', async () => {
    const ada = await app.signUp()
    const id = sessionIdOf(await loggedIn(app, ada))
    const sid = decode(tokenOf(ada)).payload.sid as string
    // The session is older than the token says.
    await app.rows.sessions.change({ id: sid }, { authTime: app.clock.now() - 16 * MINUTE })
    await expectRefusal(await remove(app, tokenOf(ada)), 'reauthentication_required')
    // The token is older than the session: an old copy of a token stays stale when its owner logs in again.
    await app.clock.advance(16 * MINUTE)
    await app.rows.sessions.change({ id: sid }, { authTime: app.clock.now() })
    await expectRefusal(await remove(app, tokenOf(ada)), 'reauthentication_required')
    expect(await app.rows.sessions.count({ id })).toBe(1)
    const pair = await refreshed(app, ada.grant.refresh_token!)
    expect((await remove(app, pair.access_token)).status).toBe(204)
  })

  test('13.6 takes a right password in the body for that request only, and refuses a wrong one also after a login', async () => {
    const ada = await app.signUp()
    await expectRefusal(await remove(app, tokenOf(ada), { password: 'wrong password' }), 'invalid_password')
    await expectRefusal(await remove(app, tokenOf(ada), { password: '' }), 'invalid_password')
    expect(await audit(app, 'reauthentication.failed')).toHaveLength(2)
    await app.admin.giveRole(ada.id, 'admin')
    await app.clock.advance(16 * MINUTE)
    // The last administrator: the password is right, so the refusal is another one.
    await expectRefusal(await remove(app, tokenOf(ada), { password: ada.password }), 'last_admin')
    await expectRefusal(await remove(app, tokenOf(ada)), 'reauthentication_required')
    await expectRefusal(await remove(app, tokenOf(ada), { password: null }), 'reauthentication_required')
  })

  test('13.6 needs the second factor of a user who has one, on every such route, and a password is no substitute', async () => {
    const ada = await app.signUp()
    await app.rows.userRoles.add({ userId: ada.id, role: 'admin', grantedAt: 0 })
    const { access_token: former } = await loggedIn(app, ada)
    const phone = await app.factors.addApp(ada.id)
    const { access_token: token } = await loggedIn(app, ada, { otp: phone.code() })
    const sid = decode(token).payload.sid as string
    const factorNeeded = async (one: string) => {
      for (const { method, pattern } of freshRoutes(app)) {
        const json = bodies[`${method} ${pattern}`] ?? { password: ada.password }
        const answer = await app.request(method, pattern, { token: one, json })
        await expectRefusal(answer, 'reauthentication_required')
        expect(answer.headers.get('www-authenticate')).toBe(
          'Bearer realm="keyward", error="insufficient_user_authentication", max_age="900", acr_values="aal2"',
        )
      }
    }
    // Both sessions have just begun, but only one of them has shown the second factor.
    await factorNeeded(former)
    await expectRefusal(await remove(app, former, { password: 'wrong password' }), 'invalid_password')
    await expectRefusal(await remove(app, token), 'last_admin')
    // The password was checked a moment ago, the second factor was not.
    await app.rows.sessions.change({ id: sid }, { mfaTime: app.clock.now() - 16 * MINUTE })
    await factorNeeded(token)
    expect(await app.rows.users.count()).toBe(1)
  })

  test('13.6 a new password needs the second factor too', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const change = (token: string, current = ada.password) =>
      app.request('PUT', '/users/me/password', {
        token,
        json: { current_password: current, new_password: 'another good one' },
      })
    await expectRefusal(await change(tokenOf(ada), 'wrong password'), 'invalid_password')
    await expectRefusal(await change(tokenOf(ada)), 'reauthentication_required')
    const { access_token: token } = await loggedIn(app, ada, { otp: phone.code() })
    expect((await change(token)).status).toBe(204)
  })

  test('13.6 is 403 for an API key on every such route, and 401 for one that is not valid', async () => {
    const { id } = await app.signUp()
    await app.admin.giveRole(id, 'admin')
    const { text } = await app.admin.createApiKey({ owner: id, scopes: ['tokens:introspect'] })
    for (const { method, pattern } of freshRoutes(app)) {
      await expectRefusal(await app.request(method, pattern, { token: text, json: {} }), 'forbidden')
      const altered = `${text.slice(0, 5)}${text[5] === 'a' ? 'b' : 'a'}${text.slice(6)}`
      await expectRefusal(await app.request(method, pattern, { token: altered, json: {} }), 'invalid_token')
    }
  })
})

describe('with rate limits', () => {
  const app = appPerTest({ env: { RATE_LIMIT: 'on' } })

  test('13.6 a wrong password counts as a failed login, and a refused one is not checked', async () => {
    const ada = await app.signUp()
    const codes: string[] = []
    for (let at = 0; at < 20; at++) {
      const { code } = (await (await remove(app, tokenOf(ada), { password: `wrong ${at}` })).json()) as { code: string }
      codes.push(code)
    }
    expect(codes[0]).toBe('invalid_password')
    expect(codes.at(-1)).toBe('rate_limited')
    await expectRefusal(await remove(app, tokenOf(ada), { password: ada.password }), 'rate_limited')
    expect(await app.rows.users.count()).toBe(1)
  })

  test('13.6 a right password counts as a login', async () => {
    const { id, password, grant } = await app.signUp()
    await app.admin.giveRole(id, 'admin')
    const statuses = new Set<number>()
    for (let at = 0; at < 300; at++) statuses.add((await remove(app, grant.access_token, { password })).status)
    // One of the 300 was the login itself.
    expect([...statuses]).toEqual([409, 429])
  })
})
