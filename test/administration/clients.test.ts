import { expect, test } from 'bun:test'
import { HOUR, rfc3339 } from '../../src/lib/clock.ts'
import { tally } from '../limits/support.ts'
import { goesOn, grant } from '../sessions/kinds.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal, type Problem } from '../support/refusal.ts'
import { acts, answered, type Page, person } from './support.ts'

interface ClientView {
  id: string
  name: string
  secret: string | null
  secrets: { id: number; hint: string; expires_at: string | null; revoked_at: string | null }[]
  redirect_uris: string[]
  enabled: boolean
  require_pkce: boolean
  scopes: string[]
}

const shop = { name: 'Shop', redirect_uris: ['https://shop.example/cb'] }

describeApp('clients over HTTP', {}, (app) => {
  const admin = async () => {
    const { token, id } = await person(app, 'ada', 'clients:read clients:write')
    const send = (method: string, path = '', json?: object) =>
      app.request(method, `/admin/clients${path}`, { token, ...(json && { json }) })
    return { send, id }
  }

  test('15.O14: are registered, listed, changed and deleted, and the secret is shown once', async () => {
    const { send, id: actorId } = await admin()
    const made = await send('POST', '', shop)
    expect(made.headers.get('location')).toMatch(/clients\/kwa_[a-z2-7]{20}$/)
    const client = await answered<ClientView>(Promise.resolve(made), 201)
    expect(client).toMatchObject({
      ...shop,
      public: false,
      post_logout_redirect_uris: [],
      grant_types: ['authorization_code', 'refresh_token'],
      scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
      resources: [],
      client_credentials_scopes: [],
      trusted: false,
      require_pkce: true,
      id_token_alg: 'RS256',
      claims_in_id_token: false,
      backchannel_logout_uri: null,
      required_role: null,
      required_acr: null,
      home_uri: null,
      enabled: true,
    })
    expect(client.secret).toStartWith('kwc_')
    const shown = await (await send('GET', `/${client.id}`)).text()
    expect(shown).not.toContain(client.secret!.slice(4, 40))
    expect(JSON.parse(shown)).toMatchObject({ id: client.id, secrets: [{ hint: client.secret!.slice(-4) }] })
    const change = {
      name: ' Store ',
      scopes: ['email', 'openid', 'orders:list'],
      backchannel_logout_uri: 'https://shop.example/out',
    }
    expect(await answered<ClientView>(send('PATCH', `/${client.id}`, change))).toMatchObject({
      name: 'Store',
      scopes: ['openid', 'email', 'orders:list'],
      redirect_uris: shop.redirect_uris,
    })
    // A request that changes nothing writes nothing; null removes.
    await answered(send('PATCH', `/${client.id}`, { ...change, redirect_uris: null }))
    await answered(send('PATCH', `/${client.id}`, { backchannel_logout_uri: null }))
    const secret = await answered<{ id: number; secret: string }>(send('POST', `/${client.id}/secrets`, {}), 201)
    expect((await send('DELETE', `/${client.id}/secrets/${secret.id}`)).status).toBe(204)
    expect((await send('DELETE', `/${client.id}`)).status).toBe(204)
    await expectRefusal(await send('GET', `/${client.id}`), 'client_not_found')
    await expectRefusal(await send('DELETE', `/${client.id}`), 'client_not_found')
    expect(await app.rows.clientSecrets.count()).toBe(0)
    const events = await acts(app)
    expect(events.map(({ event, actorId: by }) => [event, by])).toEqual(
      ['created', 'changed', 'changed', 'secret_added', 'secret_revoked', 'deleted'].map((word) => [
        `client.${word}`,
        actorId,
      ]),
    )
    expect(events[1]!.details).toEqual({
      client: client.id,
      before: expect.stringContaining('"name":"Shop"'),
      after: expect.stringContaining('"name":"Store"'),
    })
    expect(JSON.stringify(events)).not.toContain('kwc_')
  })

  test('15.O2: refuses every address, scope and grant that a client must not have', async () => {
    const { send } = await admin()
    const refused = async (body: object, ...fields: string[]) => {
      const problem = (await expectRefusal(
        await send('POST', '', { ...shop, ...body }),
        'validation_failed',
      )) as Problem
      expect([body, problem.errors!.map(({ field }) => field)]).toEqual([body, fields])
    }
    const publicShop = { public: true, name: 'App' }
    for (const uri of [
      '',
      'shop.example/cb',
      '//shop.example/cb',
      'https:shop',
      'https:///cb',
      'https://shop.example/cb#',
      'https://user@shop.example/cb',
      'https://user:pass@shop.example/',
      'https://shop.example/../cb',
      'https://shop.example/a/%2E%2e/cb',
      'https://shop.example/a/..;/cb',
      'https://shop.example/..',
      'https://shop.example\\cb',
      'https://shop.example/c b',
      'https://shop.example/c\tb',
      'https://shop.example/\u0000',
      'https://shöp.example/cb',
      'https://shop.example/%zz',
      'https://*.shop.example/cb"',
      'HTTPS://shop.example/cb',
      'https://shop.example:99999/cb',
      `https://shop.example/${'a'.repeat(2_000)}`,
      'http://shop.example/cb',
      'http://127.0.0.1.shop.example/cb',
      'http://0x7f.1/cb',
      'http://[fe80::1%25eth0]/cb',
      ...'javascript data vbscript blob file filesystem about view-source mailto tel ws wss intent'
        .split(' ')
        .map((scheme) => `${scheme}:alert(1)`),
      'com.example.app:/cb',
    ]) {
      await refused({ redirect_uris: [uri] }, 'redirect_uris.0')
      if (!uri.startsWith('com.')) await refused({ ...publicShop, redirect_uris: [uri] }, 'redirect_uris.0')
      await refused({ post_logout_redirect_uris: ['https://shop.example/', uri] }, 'post_logout_redirect_uris.1')
    }
    await refused({ redirect_uris: [] }, 'redirect_uris')
    await refused({ redirect_uris: Array.from({ length: 21 }, (_, i) => `https://shop.example/${i}`) }, 'redirect_uris')
    for (const uri of [
      app.config.PUBLIC_URL,
      `${app.config.PUBLIC_URL}/api`,
      app.config.PUBLIC_URL.replace('localhost', 'LOCALHOST'),
      'urn:x#y',
      'our-api',
      'javascript:x',
    ])
      await refused({ resources: [uri] }, 'resources.0')
    await refused({ backchannel_logout_uri: 'http://shop.example/out' }, 'backchannel_logout_uri')
    await refused({ home_uri: 'javascript:alert(1)' }, 'home_uri')
    await refused({ name: 'a\u0007b' }, 'name')
    await refused({ name: 'a'.repeat(101) }, 'name')
    await refused({ required_role: 'nobody' }, 'required_role')
    for (const level of ['aal3', 'AAL2', '']) await refused({ required_acr: level }, 'required_acr')
    await refused({ grant_types: [] }, 'grant_types')
    await refused({ grant_types: ['authorization_code', 'implicit'] }, 'grant_types')
    await refused({ ...publicShop, grant_types: ['authorization_code', 'client_credentials'] }, 'grant_types')
    await refused({ ...publicShop, require_pkce: false }, 'require_pkce')
    for (const scope of ['account', 'clients:write', 'a b', '', '"', 'é']) await refused({ scopes: [scope] }, 'scopes')
    await refused({ client_credentials_scopes: ['orders:list'] }, 'client_credentials_scopes')
    const service = { grant_types: ['client_credentials'], redirect_uris: [] }
    await refused({ ...service, client_credentials_scopes: ['openid'] }, 'client_credentials_scopes')
    await refused({ ...service, client_credentials_scopes: ['users:write'] }, 'client_credentials_scopes')
    expect(await app.rows.clients.count()).toBe(0)
    for (const body of [
      {
        ...publicShop,
        redirect_uris: ['com.example.app:/cb', 'kitchenowl:/cb', 'http://127.0.0.1/cb', 'http://[::1]/cb'],
      },
      { redirect_uris: ['http://shop.example/cb'], allow_http: true },
      { redirect_uris: ['https://shop.example', 'http://localhost:3000/cb?a=1', 'https://shop.example:443/%2F'] },
      { require_pkce: false, resources: ['https://api.example/', 'urn:example:api'] },
      { ...service, client_credentials_scopes: ['orders:list'] },
    ])
      await answered(send('POST', '', { ...shop, ...body }), 201)
    // An address whose http was allowed stays when something else changes; the settings of a public client hold on.
    const { items } = await answered<Page<ClientView>>(send('GET'))
    const plain = items.find(({ redirect_uris }) => redirect_uris[0] === 'http://shop.example/cb')!
    await answered(send('PATCH', `/${plain.id}`, { name: 'Plain' }))
    await expectRefusal(
      await send('PATCH', `/${plain.id}`, { redirect_uris: ['http://other.example/'] }),
      'validation_failed',
    )
    const app_ = items.find(({ name }) => name === 'App')!
    await expectRefusal(await send('PATCH', `/${app_.id}`, { require_pkce: false }), 'validation_failed')
  })

  test('15.O14: of 24 secrets made at once at most two are live, and one of 24 deletions succeeds', async () => {
    const { send } = await admin()
    const { id } = await answered<ClientView>(send('POST', '', shop), 201)
    const end = rfc3339(app.clock.now() + HOUR)
    const past = rfc3339(app.clock.now())
    await expectRefusal(await send('POST', `/${id}/secrets`, { expires_at: past }), 'validation_failed')
    await expectRefusal(await send('POST', `/${id}/secrets`, { others_expire_at: 'soon' }), 'validation_failed')
    const all = async (work: () => Promise<Response>) =>
      tally((await Promise.all(Array.from({ length: 24 }, work))).map(({ status }) => status))
    expect(await all(() => send('POST', `/${id}/secrets`, { others_expire_at: end }))).toEqual({ 201: 1, 409: 23 })
    const { secrets } = await answered<ClientView>(send('GET', `/${id}`))
    expect(secrets.map(({ expires_at }) => expires_at)).toEqual([null, end])
    expect(await all(() => send('DELETE', `/${id}/secrets/${secrets[1]!.id}`))).toEqual({ 204: 1, 404: 23 })
    for (const sid of ['0', '999', 'x', '01'])
      await expectRefusal(await send('DELETE', `/${id}/secrets/${sid}`), 'client_secret_not_found')
    expect(await all(() => send('DELETE', `/${id}`))).toEqual({ 204: 1, 404: 23 })
    const deletions = (await acts(app)).filter(({ event }) => event === 'client.deleted')
    expect(deletions).toHaveLength(1)
  })

  test('15.1 that are disabled or deleted lose their sessions, and no other client does', async () => {
    const { send } = await admin()
    const bea = await app.signUp('bea')
    const [one, two] = [await app.admin.createClient(), await app.admin.createClient()]
    const begin = (client: string) => grant(app, bea, { client, scope: 'openid offline_access' })
    const sessions = [await begin(one.client.id), await begin(one.client.id), await begin(two.client.id)]
    const alive = () => Promise.all(sessions.map((session) => goesOn(app, session)))
    await answered(send('PATCH', `/${one.client.id}`, { name: 'Store' }))
    expect(await alive()).toEqual([true, true, true])
    await answered(send('PATCH', `/${one.client.id}`, { enabled: false }))
    expect(await alive()).toEqual([false, false, true])
    expect((await send('DELETE', `/${two.client.id}`)).status).toBe(204)
    expect(await alive()).toEqual([false, false, false])
    const reasons = await Promise.all(sessions.map(async ({ id }) => (await app.rows.sessions.one({ id })).endReason))
    expect(reasons).toEqual(['client_disabled', 'client_disabled', 'client_deleted'])
    expect((await app.request('GET', '/users/me', { token: bea.grant.access_token })).status).toBe(200)
  })

  test('15.1 are read page by page', async () => {
    const { send } = await admin()
    for (let i = 0; i < 5; i++) await app.admin.createClient({ name: `Shop ${i}` })
    const seen: string[] = []
    for (let cursor = ''; ; ) {
      const page = await answered<Page<ClientView>>(send('GET', `?limit=2${cursor && `&cursor=${cursor}`}`))
      seen.push(...page.items.map(({ name }) => name))
      if (page.next_cursor === null) break
      cursor = page.next_cursor
    }
    expect(seen.sort()).toEqual(Array.from({ length: 5 }, (_, i) => `Shop ${i}`))
    await expectRefusal(await send('GET', '?cursor=x'), 'validation_failed')
  })
})

for (const [setting, env] of [
  ['JWT_ALG=HS256', { JWT_ALG: 'HS256', JWT_SECRET: 'only-for-tests-9c1f-5d7e-4b2a-8f60' }],
  ['JWT_COMPAT=fastapi', { JWT_ALG: 'HS256', JWT_SECRET: 'only-for-tests-9c1f-5d7e-4b2a-8f60', JWT_COMPAT: 'fastapi' }],
  ['PAGES=off', { PAGES: 'off' }],
] as const)
  describeApp(`clients with ${setting}`, { env }, (app) => {
    test('15.1 cannot be registered, and the refusal names the setting', async () => {
      const { token } = await person(app, 'ada', 'clients:write')
      const answer = await app.request('POST', '/admin/clients', { token, json: shop })
      expect((await expectRefusal(answer, 'clients_unavailable')).detail).toContain(setting)
    })
  })

describeApp(
  'a resource of a client',
  { env: { PUBLIC_URL: 'https://example.com/auth', JWT_AUDIENCE: 'https://api.example' } },
  (app) => {
    test("15.O13: is never the audience of Keyward's own tokens", async () => {
      const { token } = await person(app, 'ada', 'clients:write')
      const status = async (resource: string) =>
        (await app.request('POST', '/admin/clients', { token, json: { ...shop, resources: [resource] } })).status
      for (const uri of [
        'https://api.example',
        'https://api.example/',
        'https://API.example:443',
        'https://example.com/auth',
        'https://example.com/auth/',
        'https://example.com/auth/userinfo',
        'https://example.com/auth?x',
        'https://EXAMPLE.com:443/auth/x',
      ])
        expect([uri, await status(uri)]).toEqual([uri, 422])
      for (const uri of ['https://api.example/orders', 'https://example.com/authors', 'https://example.com'])
        expect([uri, await status(uri)]).toEqual([uri, 201])
    })
  },
)
