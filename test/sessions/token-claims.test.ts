import { expect, test } from 'bun:test'
import { HOUR, MINUTE } from '../../src/lib/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { decode, loggedIn, refreshed } from './support.ts'

describeEachDialect('the access token', (dialect) => {
  test('has the claims of RFC 9068', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const { header, payload } = decode(ada.grant.access_token)
      const seconds = Math.floor(app.clock.now() / 1_000)
      expect(header).toEqual({ alg: 'ES256', kid: expect.stringMatching(/^[\w-]+$/), typ: 'at+jwt' })
      expect(payload).toEqual({
        iss: 'http://localhost:8000',
        sub: String(ada.id),
        aud: 'http://localhost:8000',
        exp: seconds + 1_800,
        iat: seconds,
        jti: expect.stringMatching(/^[\w-]{22}$/),
        sid: expect.stringMatching(/^[\w-]{22}$/),
        gen: 0,
        client_id: 'keyward',
        username: 'ada',
        email: 'ada@example.com',
        email_verified: false,
        roles: ['user'],
        amr: ['pwd'],
        acr: 'aal1',
        auth_time: seconds,
      })
    }))

  test('has issuer, audience and personal claims as configured', () =>
    withApp(
      {
        dialect,
        env: { PUBLIC_URL: 'https://id.example.com/auth', JWT_AUDIENCE: 'orders', TOKEN_CLAIMS: 'roles' },
      },
      async (app) => {
        const { payload } = decode((await app.signUp()).grant.access_token)
        expect(payload).toMatchObject({ iss: 'https://id.example.com/auth', aud: 'orders', roles: ['user'] })
        for (const claim of ['username', 'email', 'email_verified']) expect(payload).not.toHaveProperty(claim)
      },
    ))

  test('keeps auth_time, amr and sid over refreshes; jti, iat and exp are new each time', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const first = decode(ada.grant.access_token).payload
      let token = ada.grant.refresh_token!
      const seen = new Set([first.jti])
      for (let turn = 1; turn <= 3; turn++) {
        await app.clock.advance(HOUR)
        const pair = await refreshed(app, token)
        token = pair.refresh_token
        const { payload } = decode(pair.access_token)
        const { auth_time, amr, sid } = first
        expect(payload).toMatchObject({ auth_time, amr, sid, gen: turn, iat: Number(first.iat) + turn * 3_600 })
        expect(payload.exp).toBe(Number(payload.iat) + 1_800)
        seen.add(payload.jti)
      }
      expect(seen.size).toBe(4)
      await app.clock.advance(MINUTE)
      const again = decode((await loggedIn(app, ada)).access_token).payload
      expect(again.auth_time).toBe(Math.floor(app.clock.now() / 1_000))
      expect(again.sid).not.toBe(first.sid)
    }))

  test('F11, O3: shows changes of its user after the next refresh; Keyward’s routes use them at once', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const rolesOf = async (token: string) =>
        ((await (await app.request('GET', '/users/me', { token })).json()) as { roles: string[] }).roles
      const introspects = async (token: string) =>
        (await app.request('POST', '/introspect', { token, form: { token } })).status
      expect(await introspects(ada.grant.access_token)).toBe(403)
      await app.admin.giveRole(ada.id, 'admin')
      await app.rows.users.change({ id: ada.id }, { emailVerifiedAt: 1, username: 'Countess' })
      expect(decode(ada.grant.access_token).payload.roles).toEqual(['user'])
      expect(await rolesOf(ada.grant.access_token)).toEqual(['admin', 'user'])
      expect(await introspects(ada.grant.access_token)).toBe(200)
      const promoted = await refreshed(app, ada.grant.refresh_token!)
      expect(decode(promoted.access_token).payload).toMatchObject({
        roles: ['admin', 'user'],
        username: 'Countess',
        email_verified: true,
      })
      await app.rows.userRoles.remove({ userId: ada.id })
      expect(await rolesOf(promoted.access_token)).toEqual(['user'])
      expect(await introspects(promoted.access_token)).toBe(403)
      expect(decode((await refreshed(app, promoted.refresh_token)).access_token).payload.roles).toEqual(['user'])
    }))
})
