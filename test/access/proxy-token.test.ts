import { expect, test } from 'bun:test'
import { decode, introspectionKey, loggedIn, refreshed } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const header = 'x-auth-request-access-token'
const issuer = 'http://localhost:8000'

const ask = (app: TestApp, token: string, query = '?token=1', method = 'GET') =>
  app.request(method, `/forward-auth${query}`, { token })
const proxyToken = async (app: TestApp, token: string, query?: string) => {
  const answer = await ask(app, token, query)
  expect(answer.status).toBe(200)
  return answer.headers.get(header)!
}

describeEachDialect('the token for a service behind a proxy', (dialect) => {
  test('12.A6 is a JWT of 60 s with a type and an audience of its own, and is not cached', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const answer = await ask(app, ada.grant.access_token)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      const iat = Math.floor(app.clock.now() / 1000)
      const { header: head, payload } = decode(answer.headers.get(header)!)
      const shown = decode(ada.grant.access_token)
      expect(head).toEqual({ ...shown.header, typ: 'fa+jwt' })
      expect(payload).toEqual({
        iss: issuer,
        sub: String(ada.id),
        aud: `${issuer}/forward-auth`,
        exp: iat + 60,
        iat,
        jti: expect.any(String),
        sid: shown.payload.sid,
        username: 'ada',
        roles: ['user'],
        acr: 'aal1',
      })
      expect(payload.jti).not.toBe(shown.payload.jti)
      await app.rows.users.change({ id: ada.id }, { emailVerifiedAt: 1 })
      expect(decode(await proxyToken(app, ada.grant.access_token)).payload.email).toBe('ada@example.com')
    }))

  test('12.A6 stands in an empty header without the parameter, whatever the client sent', () =>
    withApp({ dialect }, async (app) => {
      const { grant } = await app.signUp()
      for (const path of [
        '/forward-auth',
        '/forward-auth?role=user',
        '/forward-auth/orders?token=1',
        '/forward-auth/',
      ]) {
        const { status, headers } = await app.request('GET', path, {
          token: grant.access_token,
          headers: { [header]: 'mallory' },
        })
        expect([path, status, headers.get(header)]).toEqual([path, 200, ''])
      }
      for (const query of ['?token=', '?token', '?token=0', '?token=true', '?token=1&token=1', '?token=1&role=admin'])
        await expectRefusal(await ask(app, grant.access_token, query), 'forbidden')
      for (const method of ['HEAD', 'POST', 'OPTIONS'])
        expect((await ask(app, grant.access_token, '?role=user&token=1', method)).headers.get(header)).not.toBe('')
    }))

  test('12.A6 is made once for an access token and 30 s, and again when its user changed', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const shown = ada.grant.access_token
      const first = await proxyToken(app, shown)
      await app.clock.advance(29_999)
      expect(await proxyToken(app, shown)).toBe(first)
      const other = (await loggedIn(app, ada)).access_token
      expect(await proxyToken(app, other)).not.toBe(first)
      await app.clock.advance(1)
      const second = await proxyToken(app, shown)
      expect(second).not.toBe(first)
      await app.admin.giveRole(ada.id, 'admin')
      expect(decode(await proxyToken(app, shown)).payload.roles).toEqual(['admin', 'user'])
    }))

  test('12.A6 never outlives the access token that was shown', () =>
    withApp({ dialect }, async (app) => {
      const { grant } = await app.signUp()
      const exp = decode(grant.access_token).payload.exp as number
      await app.clock.advance(exp * 1000 - app.clock.now() - 10_000)
      expect(decode(await proxyToken(app, grant.access_token)).payload.exp).toBe(exp)
      await app.clock.advance(10_000)
      await expectRefusal(await ask(app, grant.access_token), 'invalid_token')
    }))

  test('12.A6 opens no route of Keyward', () =>
    withApp({ dialect, env: { METRICS_TOKEN: 'only-for-tests-of-the-proxy-token-0123' } }, async (app) => {
      const ada = await app.signUp()
      await app.admin.giveRole(ada.id, 'admin')
      const token = await proxyToken(app, ada.grant.access_token)
      for (const { method, pattern, access } of app.table.routes) {
        if (access === 'open' && pattern !== '/metrics') continue
        const answer = await app.request(method, pattern.replace(/:\w+/g, '1'), { token })
        expect([method, pattern, answer.status]).toEqual([method, pattern, 401])
      }
      expect((await ask(app, token, '')).status).toBe(401)
      const key = await introspectionKey(app, 'operator')
      const seen = await app.request('POST', '/introspect', { token: key, form: { token } })
      expect(await seen.json()).toEqual({ active: false })
      await expectRefusal(
        await app.request('POST', '/token/refresh', { json: { refresh_token: token } }),
        'invalid_refresh_token',
      )
      await app.request('POST', '/revoke', { form: { token } })
      expect((await ask(app, ada.grant.access_token, '')).status).toBe(200)
      // Neither is it made for anything but an access token: no other credential begins it.
      expect(
        decode(await proxyToken(app, (await refreshed(app, ada.grant.refresh_token!)).access_token)).header.typ,
      ).toBe('fa+jwt')
    }))

  test('12.A6 is refused with JWT_COMPAT=fastapi, whose services would take it for an access token', () =>
    withApp(
      {
        dialect,
        env: {
          JWT_COMPAT: 'fastapi',
          JWT_ALG: 'HS256',
          JWT_SECRET: '5c1e0a7f4d92b86e3301f7ca94d8526be8f17d03c65a94f2b17e80d36a29c4f5',
        },
      },
      async (app) => {
        const { grant } = await app.signUp()
        const refused = await ask(app, grant.access_token)
        expect(refused.headers.has(header)).toBe(false)
        await expectRefusal(refused, 'forbidden')
        expect((await ask(app, grant.access_token, '')).headers.get(header)).toBe('')
      },
    ))
})
