import { expect, test } from 'bun:test'
import { decode, introspectionKey, loggedIn } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const names = ['user', 'preferred-username', 'email', 'groups', 'acr'].map((name) => `x-auth-request-${name}`)

const ask = (app: TestApp, token: string | undefined, query = '', headers = {}) =>
  app.request('GET', `/forward-auth${query}`, { token, headers })

const told = ({ headers }: Response) => names.map((name) => headers.get(name))

describeEachDialect('GET /forward-auth', (dialect) => {
  test('sends the caller in four headers with every 200; the address only if it is verified', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const hostile = Object.fromEntries(names.map((name) => [name, 'mallory']))
      const unproven = await ask(app, ada.grant.access_token, '', hostile)
      expect([unproven.status, await unproven.text()]).toEqual([200, ''])
      expect(told(unproven)).toEqual([String(ada.id), 'ada', '', 'user', 'aal1'])
      expect(unproven.headers.get('cache-control')).toBe('no-store')
      await app.rows.users.change({ id: ada.id }, { emailVerifiedAt: 1 })
      await app.admin.giveRole(ada.id, 'admin')
      expect(told(await ask(app, ada.grant.access_token))).toEqual([
        String(ada.id),
        'ada',
        'ada@example.com',
        'admin,user',
        'aal1',
      ])
      const head = await app.request('HEAD', '/forward-auth', { token: ada.grant.access_token })
      expect(told(head)[1]).toBe('ada')
    }))

  test.each([
    ['Zoë', 'Zo%C3%AB'],
    ['ada lovelace', 'ada%20lovelace'],
    ['100%', '100%25'],
    ['名前', '%E5%90%8D%E5%89%8D'],
    ['ada😀', 'ada%F0%9F%98%80'],
    ['a\r\nX-Auth-Request-Groups: admin', 'a%0D%0AX-Auth-Request-Groups:%20admin'],
  ])('percent-encodes characters outside printable ASCII: %s', (username, header) =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      await app.rows.users.change({ id: ada.id }, { username })
      const answer = await ask(app, ada.grant.access_token)
      expect(told(answer)).toEqual([String(ada.id), header, '', 'user', 'aal1'])
      expect(decodeURIComponent(header)).toBe(username)
    }),
  )

  test('refuses an API key and a request without a valid token', () =>
    withApp({ dialect }, async (app) => {
      const key = await introspectionKey(app)
      const { grant } = await app.signUp()
      await expectRefusal(await ask(app, undefined), 'not_authenticated')
      for (const bad of [key, grant.refresh_token!, grant.device_token!, 'x'])
        await expectRefusal(await ask(app, bad), 'invalid_token')
      await app.request('POST', '/logout', { token: grant.access_token })
      const over = await ask(app, grant.access_token, '?role=user')
      await expectRefusal(over, 'invalid_token')
      expect(told(over)).toEqual([null, null, null, null, null])
    }))

  test('lets through only users with the role or permission in the query, and nobody for an unknown condition', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp('ada')
      const bea = await app.signUp('bea')
      await app.admin.giveRole(bea.id, 'admin')
      const statuses = async (query: string) => [
        (await ask(app, ada.grant.access_token, query)).status,
        (await ask(app, bea.grant.access_token, query)).status,
      ]
      for (const query of ['', '?', '?role=user', '?rol%65=user'])
        expect([query, ...(await statuses(query))]).toEqual([query, 200, 200])
      for (const query of [
        '?role=admin',
        '?permission=tokens:introspect',
        '?permission=tokens%3Aintrospect',
        '?role=user&permission=tokens:introspect',
        '?role=admin&permission=tokens:introspect',
      ])
        expect([query, ...(await statuses(query))]).toEqual([query, 403, 200])
      for (const query of [
        '?role=',
        '?role',
        '?permission=',
        '?=',
        '?=admin',
        '?roles=user',
        '?Role=user',
        '?role=nobody',
        '?role=ADMIN',
        '?role=user%20',
        '?role=user,admin',
        '?role=user&role=user',
        '?role=user&rol%65=admin',
        '?role[]=user',
        '?permission=users:everything',
        '?permission=user',
        '?role=user&x=1',
        '?x=1',
        '?acr=',
        '?acr=aal3',
        '?acr=AAL1',
        '?acr=aal1&acr=aal1',
        '?acr=aal1,aal2',
        '?role=user?role=nobody',
        '??role=user',
        '?role=%',
        '?role=%ff',
        '?__proto__=user',
        '?role=constructor',
      ])
        expect([query, ...(await statuses(query))]).toEqual([query, 403, 403])
      await expectRefusal(await ask(app, ada.grant.access_token, '?role=admin'), 'forbidden')
    }))

  test('with ?acr= lets through only sessions of that level, and says which level is missing', () =>
    withApp({ dialect }, async (app) => {
      const ada = await app.signUp()
      const low = ada.grant
      const phone = await app.factors.addApp(ada.id)
      const high = await loggedIn(app, ada, { otp: phone.code() })
      for (const [token, level, query, status] of [
        [low, 'aal1', '?acr=aal1', 200],
        [low, 'aal1', '?acr=aal2', 401],
        [low, 'aal1', '?acr=phr', 401],
        [low, 'aal1', '?acr=aal2&role=admin', 403],
        [low, 'aal1', '?role=user&acr=aal2&token=1', 401],
        [high, 'aal2', '?acr=aal1', 200],
        [high, 'aal2', '?role=user&acr=aal2', 200],
        [high, 'aal2', '?acr=phr', 401],
      ] as const) {
        const answer = await ask(app, token.access_token, query)
        const { headers } = answer
        expect([query, answer.status, headers.get('x-auth-request-acr')]).toEqual([
          query,
          status,
          status === 200 ? level : null,
        ])
        if (status !== 401) continue
        await expectRefusal(answer, 'reauthentication_required')
        expect(headers.get('www-authenticate')).toBe(
          `Bearer realm="keyward", error="insufficient_user_authentication", max_age="900", acr_values="${query.includes('phr') ? 'phr' : 'aal2'}"`,
        )
      }
      const proxied = await ask(app, high.access_token, '?token=1')
      expect(decode(proxied.headers.get('x-auth-request-access-token')!).payload.acr).toBe('aal2')
      const key = await introspectionKey(app)
      for (const [pair, acr, amr] of [
        [low, 'aal1', ['pwd']],
        [high, 'aal2', ['pwd', 'otp', 'mfa']],
      ] as const)
        for (const token of [pair.access_token, pair.refresh_token]) {
          const told = await app.request('POST', '/introspect', { token: key, form: { token: token! } })
          expect(await told.json()).toMatchObject({ active: true, acr, amr, auth_time: expect.any(Number) })
        }
    }))
})
