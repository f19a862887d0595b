import { expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { limited, tally } from '../limits/support.ts'
import { introspectionKey } from '../sessions/support.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

describeApp('an API key as client secret at /introspect', {}, (app) => {
  test('12.B8 M1: is taken by Basic and in the form, under any client id', async () => {
    const { grant, id } = await app.signUp()
    const key = await introspectionKey(app)
    const token = grant.access_token
    const basic = (pair: string, form: Record<string, string> = { token }) =>
      app.request('POST', '/introspect', { form, headers: { authorization: `Basic ${btoa(pair)}` } })
    const post = (form: Record<string, string>) => app.request('POST', '/introspect', { form: { token, ...form } })
    for (const response of [
      await basic(`gateway:${key}`),
      await basic(`:${key}`),
      await basic(`my%20app:${key.replace('_', '%5F')}`),
      await basic(`gateway:${key}`, { token, client_id: 'gateway' }),
      await post({ client_id: 'gateway', client_secret: key }),
      await post({ client_secret: key }),
    ])
      expect([response.status, await response.json()]).toEqual([
        200,
        expect.objectContaining({ active: true, sub: String(id) }),
      ])
  })

  test('12.B8 M1: is 401 invalid_client if it is wrong, and 401 or 403 as before without one', async () => {
    const { grant } = await app.signUp()
    const key = await introspectionKey(app)
    const token = grant.access_token
    const withBasic = (value: string) =>
      app.request('POST', '/introspect', { form: { token }, headers: { authorization: `Basic ${value}` } })
    for (const pair of [
      `gateway:${key}x`,
      `gateway:${token}`,
      'gateway:secret',
      'gateway:',
      key,
      `${key}:`,
      `g:%${key}`,
    ]) {
      const response = await withBasic(btoa(pair))
      expect(response.headers.get('www-authenticate')).toContain('Basic realm="keyward"')
      expect(await expectRefusal(response, 'invalid_client')).toMatchObject({ error: 'invalid_client' })
    }
    for (const value of ['!', '', btoa('x')]) await expectRefusal(await withBasic(value), 'invalid_client')
    const post = (form: Record<string, string>, token_?: string) =>
      app.request('POST', '/introspect', { form: { token, ...form }, token: token_ })
    for (const client_secret of [`${key}x`, token, 'secret'])
      await expectRefusal(await post({ client_id: 'gateway', client_secret }), 'invalid_client')
    await expectRefusal(await post({}), 'not_authenticated')
    await expectRefusal(await post({ client_secret: '' }), 'not_authenticated')
    // A header that was sent decides, whatever the form says.
    await expectRefusal(await post({ client_secret: key }, 'x'), 'invalid_token')
    await expectRefusal(await post({ client_secret: key }, token), 'forbidden')
  })

  test('12.B8 M1: is announced in the server metadata', async () => {
    const metadata = await (await app.request('GET', '/.well-known/oauth-authorization-server')).json()
    expect(metadata).toMatchObject({
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'Bearer'],
    })
  })
})

describeApp('wrong client secrets', limited(), (app) => {
  const strangers = '198.51.100.1'
  const wrong = (i: number, peer = strangers) =>
    i % 2 === 0
      ? app.request('POST', '/introspect', {
          form: { token: 'x' },
          headers: { authorization: `Basic ${btoa(`gateway${i}:kw_wrong`)}` },
          peer,
        })
      : app.request('POST', '/introspect', { form: { token: 'x', client_id: `g${i}`, client_secret: 'wrong' }, peer })

  test('12.B8 M1: count in client.secret of their network, by Basic and in the form, and never stop a right one', async () => {
    const { grant } = await app.signUp()
    const key = await introspectionKey(app)
    const form: Record<string, string> = { token: grant.access_token }
    const right = () => [
      app.request('POST', '/introspect', { form: { ...form, client_secret: key }, peer: strangers }),
      app.request('POST', '/introspect', { form, token: key, peer: strangers }),
      app.request('POST', '/introspect', {
        form,
        headers: { authorization: `Basic ${btoa(`gateway:${key}`)}` },
        peer: strangers,
      }),
    ]
    const statusesOf = async (sent: Promise<Response>[]) => (await Promise.all(sent)).map(({ status }) => status)
    // Neither a right secret nor a missing or malformed one takes a place.
    for (let i = 0; i < 11; i++) {
      expect(await statusesOf(right())).toEqual([200, 200, 200])
      for (const value of ['!', btoa('x'), btoa('gateway:')])
        await expectRefusal(
          await app.request('POST', '/introspect', {
            form,
            headers: { authorization: `Basic ${value}` },
            peer: strangers,
          }),
          'invalid_client',
        )
      await expectRefusal(await app.request('POST', '/introspect', { form, peer: strangers }), 'not_authenticated')
    }
    for (let i = 0; i < 10; i++) await expectRefusal(await wrong(i), 'invalid_client')
    for (let i = 0; i < 4; i++) {
      const refused = await wrong(i)
      expect(refused.headers.get('retry-after')).toBe('6')
      expect(refused.headers.get('content-type')).toStartWith('application/json')
      expect(await expectRefusal(refused, 'rate_limited')).toMatchObject({ error: 'temporarily_unavailable' })
    }
    expect(await statusesOf(right())).toEqual([200, 200, 200])
    await expectRefusal(await wrong(0, '203.0.113.1'), 'invalid_client')
    const reports = (await app.rows.auditEvents.all()).filter(({ event }) => event === 'limit.exceeded')
    expect(reports).toHaveLength(1)
    await app.clock.advance(6 * SECOND)
    await expectRefusal(await wrong(0), 'invalid_client')
    await expectRefusal(await wrong(1), 'rate_limited')
  })

  test('12.B8 M1: in parallel never exceed the limit', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => wrong(i)))
    expect(tally(answers.map(({ status }) => status))).toEqual({ 401: 10, 429: 90 })
  })
})

describeApp('a requested scope', {}, (app) => {
  test('12.B7 is answered by "account" at login and refresh, in the token and at /introspect', async () => {
    const { grant } = await app.signUp()
    const key = await introspectionKey(app)
    const known: Record<string, string> = { username: 'ada', password: 'correct horse battery' }
    expect(grant.scope).toBeUndefined()
    let refresh_token = grant.refresh_token!
    for (const scope of ['admin offline_access', 'openid', 'account']) {
      for (const [path, json] of [
        ['/token', { ...known, scope }],
        ['/user/token', { ...known, scope }],
        ['/token', { grant_type: 'refresh_token', refresh_token, scope }],
        ['/token/refresh', { scope }],
      ] as const) {
        const sent = path === '/token/refresh' ? { ...json, refresh_token } : json
        const granted = (await (await app.request('POST', path, { json: sent })).json()) as Record<string, string>
        expect([path, granted.scope, granted.id_token]).toEqual([path, 'account', undefined])
        if ('grant_type' in json || path === '/token/refresh') refresh_token = granted.refresh_token!
        const form = { token: granted.access_token! }
        const told = await app.request('POST', '/introspect', { form, token: key })
        expect(await told.json()).toMatchObject({ active: true, scope: 'account' })
      }
    }
    // FastAPI's form sends an empty scope, which counts as omitted.
    for (const scope of [{}, { scope: '' }] as Record<string, string>[]) {
      const granted = await app.request('POST', '/token', { form: { ...known, ...scope } })
      expect('scope' in ((await granted.json()) as object)).toBe(false)
    }
    const metadata = await (await app.request('GET', '/.well-known/oauth-authorization-server')).json()
    expect((metadata as { scopes_supported: string[] }).scopes_supported).not.toContain('account')
  })
})

describeApp('a Location', { env: { PUBLIC_URL: 'https://example.com/auth' } }, (app) => {
  test('12.B7 leads below the path under which a proxy serves Keyward', async () => {
    const json = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' }
    const location = (await app.request('POST', '/register', { json })).headers.get('location')!
    expect(new URL(location, 'https://example.com/auth/register').href).toBe('https://example.com/auth/users/me')
  })
})
