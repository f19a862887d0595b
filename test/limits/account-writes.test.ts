import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import { loggedIn, me, type Pair, refreshed, sessionIdOf } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { watchStatements } from '../support/replace.ts'
import { limited } from './support.ts'

const pairOf = ({ grant }: SignedUp): Pair => grant as unknown as Pair

const endOthers = (app: TestApp, { access_token: token }: Pair) =>
  app.request('DELETE', '/users/me/sessions?except=current', { token })

/** Ends another session of the user, which begins for this. */
async function change(app: TestApp, user: SignedUp): Promise<Response> {
  await loggedIn(app, user)
  return endOthers(app, pairOf(user))
}

describeEachDialect('the limit of a user’s changes', (dialect) => {
  test('12.A2 lets 30 a minute and 300 a day pass, and none of these counts for another user', () =>
    withApp(limited({ dialect }), async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      for (let i = 0; i < 30; i++) expect((await change(app, ada)).status).toBe(204)
      const refused = await change(app, ada)
      expect(refused.headers.get('retry-after')).toBe('2')
      expect(refused.headers.get('ratelimit')).toBe('"account.write";r=0;t=2')
      expect(refused.headers.get('ratelimit-policy')).toBe('"account.write";q=30;w=60')
      await expectRefusal(refused, 'rate_limited')
      expect((await change(app, bea)).status).toBe(204)
      await app.clock.advance(2_000)
      expect((await change(app, ada)).status).toBe(204)
      await expectRefusal(await change(app, ada), 'rate_limited')

      const row = 'account.write/1/u1'
      await app.rows.limits.change({ key: row }, { fullAt: app.clock.now() + DAY })
      await app.clock.advance(MINUTE)
      expect((await change(app, ada)).headers.get('ratelimit-policy')).toBe('"account.write";q=300;w=86400')
    }))

  test('12.A2 covers a new password before it is hashed; a wrong one counts as a failed login instead', () =>
    withApp(limited({ dialect }), async (app) => {
      const ada = await app.signUp('ada')
      const put = (current_password: string, new_password: string) =>
        app.request('PUT', '/users/me/password', {
          token: ada.grant.access_token,
          json: { current_password, new_password },
        })
      expect((await put('wrong', 'another good one')).status).toBe(403)
      for (let i = 0; i < 30; i++) expect((await change(app, ada)).status).toBe(204)
      await expectRefusal(await put(ada.password, 'another good one'), 'rate_limited')
      await app.clock.advance(2_000)
      expect((await put(ada.password, 'another good one')).status).toBe(204)
    }))

  test('12.A2 of 40 at the same moment lets 30 pass', () =>
    withApp(limited({ dialect }), async (app) => {
      const ada = await app.signUp('ada')
      const others: Pair[] = []
      for (let i = 0; i < 40; i++) others.push(await loggedIn(app, ada))
      const { access_token: token } = pairOf(ada)
      const answers = await Promise.all(
        others.map((other) => app.request('DELETE', `/users/me/sessions/${sessionIdOf(other)}`, { token })),
      )
      expect(answers.filter(({ status }) => status === 204)).toHaveLength(30)
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(10)
    }))

  test('12.A2 never refuses a logout', () =>
    withApp(limited({ dialect }), async (app) => {
      const ada = await app.signUp('ada')
      for (let i = 0; i < 30; i++) await change(app, ada)
      expect((await app.request('POST', '/logout', { token: ada.grant.access_token })).status).toBe(204)
    }))
})

describeEachDialect('a request that changes nothing', (dialect) => {
  const writes: string[] = []
  const app = (body: (app: TestApp) => Promise<void>) =>
    withApp(
      limited({
        dialect,
        replace: {
          store: watchStatements((sql) => {
            if (!/^\s*select\b/i.test(sql)) writes.push(sql)
          }),
        },
      }),
      body,
    )

  test('12.A2 writes nothing, whichever route it is', () =>
    app(async (app) => {
      const ada = await app.signUp('ada')
      const first = pairOf(ada)
      const over = await loggedIn(app, ada)
      const token = first.access_token
      await app.request('POST', '/logout', { token: over.access_token })
      const later = await refreshed(app, first.refresh_token)
      expect(await me(app, later.access_token)).toBe(200)
      const key = await app.admin.createUser({
        email: 'o@example.com',
        username: 'operator',
        password: ada.password,
        admin: true,
      })
      const { text } = await app.admin.createApiKey({ owner: key, scopes: ['tokens:introspect'] })
      const revoke = (of: string) => app.request('POST', '/revoke', { form: { token: of } })
      const introspect = (of: string) => app.request('POST', '/introspect', { token: text, form: { token: of } })
      await introspect('x')
      await app.process.transaction(async () => {})
      const requests: Record<string, [status: number, () => Promise<Response>]> = {
        'ending all other sessions when there are none': [204, () => endOthers(app, first)],
        'ending a session that has ended': [
          404,
          () => app.request('DELETE', `/users/me/sessions/${sessionIdOf(over)}`, { token }),
        ],
        'ending a session that never was': [
          404,
          () => app.request('DELETE', `/users/me/sessions/${'A'.repeat(22)}`, { token }),
        ],
        'a logout with a dead token': [401, () => app.request('POST', '/logout', { token: over.access_token })],
        'revoking a dead refresh token': [200, () => revoke(over.refresh_token)],
        'revoking a dead access token': [200, () => revoke(over.access_token)],
        'revoking an unknown token': [200, () => revoke('kwr_x')],
        'refreshing with a dead token': [
          401,
          () => app.request('POST', '/token/refresh', { json: { refresh_token: over.refresh_token } }),
        ],
        'refreshing with an unknown token': [
          401,
          () => app.request('POST', '/token/refresh', { json: { refresh_token: 'kwr_x' } }),
        ],
        'introspecting a live access token': [200, () => introspect(later.access_token)],
        'introspecting a live refresh token': [200, () => introspect(later.refresh_token)],
        'introspecting a dead token': [200, () => introspect(over.refresh_token)],
        'a new password that is too weak': [
          422,
          () =>
            app.request('PUT', '/users/me/password', {
              token,
              json: { current_password: ada.password, new_password: 'short' },
            }),
        ],
        'a registration with an invalid name': [
          422,
          () => app.request('POST', '/register', { json: { email: 'x', username: '', password: ada.password } }),
        ],
      }
      for (const [name, [status, send]] of Object.entries(requests)) {
        writes.length = 0
        const response = await send()
        expect([name, response.status, writes]).toEqual([name, status, []])
      }
    }))

  test('12.A2 a refresh token of a newer backup is recorded at most 30 times a minute', () =>
    app(async (app) => {
      const ada = await app.signUp('ada')
      const second = await refreshed(app, pairOf(ada).refresh_token)
      const third = await refreshed(app, second.refresh_token)
      await app.rows.sessions.change({}, { generation: 0 })
      for (let i = 0; i < 35; i++)
        await expectRefusal(
          await app.request('POST', '/token/refresh', { json: { refresh_token: third.refresh_token } }),
          'invalid_refresh_token',
        )
      expect(await app.rows.auditEvents.count({ event: 'session.refresh_token_ahead' })).toBe(30)
      expect((await change(app, ada)).status).toBe(204)
    }))
})
