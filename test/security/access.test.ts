import { expect, test } from 'bun:test'
import { decodeJwt } from 'jose'
import { permissions } from '../../src/features/roles/permissions.ts'
import { roleNames } from '../../src/features/users/user.ts'
import { readDocument } from '../fuzz/document.ts'
import { grant } from '../sessions/kinds.ts'
import { loggedIn, me, type Pair, refresh } from '../sessions/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'

const password = 'zebra crossing at noon'
const metricsToken = 'a-token-for-the-metrics'

/** Every route and who may use it. Add a new route here after deciding that. */
const written: Record<string, readonly string[]> = {
  open: [
    'POST /register',
    'POST /token',
    'POST /user/token',
    'POST /token/refresh',
    'POST /token/mfa',
    'POST /token/enroll',
    'POST /token/enroll/totp',
    'POST /token/enroll/confirm',
    'POST /passkeys/options',
    'POST /token/passkey',
    'POST /revoke',
    'POST /password/forgot',
    'POST /password/reset',
    'POST /email/change/confirm',
    'POST /email/undo',
    'POST /invitation/accept',
    'POST /factor-recovery/finish',
    'POST /login/email',
    'POST /login/email/verify',
    'GET /.well-known/jwks.json',
    'GET /.well-known/oauth-authorization-server',
    'GET /.well-known/openid-configuration',
    'GET /.well-known/webauthn',
    'GET /.well-known/passkey-endpoints',
    'GET /authorize',
    'GET /end-session',
    'GET /livez',
    'GET /readyz',
    'GET /',
    'GET /docs',
    'GET /docs/{file}',
    'GET /docs/guide/',
    'GET /docs/guide/{chapter}',
    'GET /openapi.json',
  ],
  'open to a session': ['POST /email/verification', 'POST /email/verify'],
  user: [
    'GET /users/me',
    'PUT /users/me/password',
    'PATCH /users/me',
    'GET /user/user',
    'POST /token/step-up',
    'POST /logout',
    'GET /users/me/sessions',
    'GET /users/me/identities',
    'GET /users/me/factors',
    'PATCH /users/me/factors/{id}',
    'GET /users/me/trusted-devices',
    'DELETE /users/me/trusted-devices',
    'DELETE /users/me/trusted-devices/{id}',
    'DELETE /users/me/sessions',
    'DELETE /users/me/sessions/{id}',
    'GET /forward-auth',
    'GET /users/me/consents',
    'DELETE /users/me/consents/{id}',
  ],
  openid: ['GET /userinfo', 'POST /userinfo'],
  'credentials of a client': ['POST /device_authorization'],
  fresh: [
    'DELETE /users/me',
    'POST /users/me/delete',
    'POST /users/me/export',
    'DELETE /users/me/identities/{id}',
    'POST /users/me/factors/totp',
    'POST /users/me/factors/totp/{id}/confirm',
    'POST /users/me/factors/webauthn/options',
    'POST /users/me/factors/webauthn',
    'DELETE /users/me/factors/{id}',
    'POST /users/me/recovery-codes',
  ],
  'tokens:introspect': ['POST /introspect'],
  'users:read': ['GET /admin/users', 'GET /admin/users/{id}', 'GET /admin/users/{id}/factors'],
  'audit:read': ['GET /admin/audit'],
  'api-keys:read': ['GET /admin/api-keys'],
  'clients:read': ['GET /admin/clients', 'GET /admin/clients/{id}'],
  'keys:read': ['GET /admin/keys'],
  'mail:read': ['GET /admin/mail'],
  'roles:read': ['GET /admin/roles', 'GET /admin/roles/{name}'],
  'providers:read': ['GET /admin/providers', 'GET /admin/providers/{name}'],
  'fresh administrators': [
    'POST /admin/users',
    'POST /admin/users/{id}/invitation',
    'PATCH /admin/users/{id}',
    'DELETE /admin/users/{id}',
    'DELETE /admin/users/{id}/sessions',
    'POST /admin/users/{id}/password-reset',
    'POST /admin/users/{id}/factor-recovery',
    'DELETE /admin/users/{id}/factors',
    'DELETE /admin/users/{id}/factors/{fid}',
    'PUT /admin/users/{id}/roles/{role}',
    'DELETE /admin/users/{id}/roles/{role}',
    'POST /admin/roles',
    'PATCH /admin/roles/{name}',
    'DELETE /admin/roles/{name}',
    'POST /admin/providers',
    'PATCH /admin/providers/{name}',
    'POST /admin/providers/{name}/test',
    'DELETE /admin/providers/{name}',
    'POST /admin/api-keys',
    'DELETE /admin/api-keys/{id}',
    'POST /admin/clients',
    'PATCH /admin/clients/{id}',
    'DELETE /admin/clients/{id}',
    'POST /admin/clients/{id}/secrets',
    'DELETE /admin/clients/{id}/secrets/{sid}',
    'POST /admin/keys/rotate',
    'POST /admin/keys/{kid}/revoke',
    'POST /admin/mail/{id}/resend',
  ],
  metrics: ['GET /metrics'],
}

describeEachDialect('access', (dialect) => {
  const app = appPerTest({ dialect, env: { METRICS_TOKEN: metricsToken } })

  const make = (username: string, admin = false) =>
    app.admin.createUser({ email: `${username}@example.com`, username, password, admin })
  /** Makes the user again whom a route of this test has deleted. */
  const tokenOf = async (username: string) => {
    if ((await app.rows.users.count({ username })) === 0) {
      await app.rows.reservedNames.remove()
      await make(username)
    }
    return (await loggedIn(app, { username, password })).access_token
  }

  let clientId: string
  /** The user and the session of a new login. */
  const partsOf = async (username: string) => {
    const { sub, sid, auth_time } = decodeJwt(await tokenOf(username)) as {
      sub: string
      sid: string
      auth_time: number
    }
    return { userId: Number(sub), sessionId: sid, authTime: auth_time * 1_000, amr: ['pwd'] }
  }
  /** An access token as a client gets it for a user, with all that a client can be granted. */
  const clientOf = async (username: string) => {
    const user = { username, email: `${username}@example.com`, roles: ['admin'] }
    const scope = 'openid profile email groups offline_access account users:read'
    const resources = ['http://localhost:8000']
    const own = await partsOf(username)
    const { id: sessionId } = await grant(app, { id: own.userId }, { client: clientId })
    const parts = { generation: 0, clientId, scope, resources, ...user, ...own, sessionId }
    return app.tokens.mintForClient(parts).token
  }

  test('O1, U12: every route answers every caller as its access declares', async () => {
    const boss = await make('boss', true)
    const former = await make('former', true)
    await make('ada')
    clientId = (await app.admin.createClient()).client.id
    const formerToken = await tokenOf('former')
    const key = async (scopes: string[]) => (await app.admin.createApiKey({ owner: boss, scopes })).text
    await app.admin.deactivate(former)
    /** As a version with more permissions could have stored it. */
    const otherKey = async () => {
      const { id, text } = await app.admin.createApiKey({ owner: boss, scopes: [...permissions] })
      await app.rows.apiKeys.change({ id }, { scopes: 'later:permission' })
      return text
    }
    const callers: Record<string, () => Promise<string | undefined>> = {
      nobody: async () => undefined,
      forger: async () => `${(await tokenOf('ada')).slice(0, -4)}AAAA`,
      'a user': () => tokenOf('ada'),
      'a former administrator': async () => formerToken,
      'an administrator': () => tokenOf('boss'),
      'a key for it': () => key([...permissions]),
      'a key for something else': otherKey,
      'the metrics token': async () => metricsToken,
      'a client of a user': () => clientOf('ada'),
      'a client of an administrator': () => clientOf('boss'),
      'a client itself': async () => app.tokens.mintForService({ clientId, scope: 'users:read', resources: [] }).token,
      'an ID token': async () =>
        app.tokens.mintIdToken({ alg: 'ES256', clientId, ...(await partsOf('boss')), accessToken: 'x' }),
      'a logout token': async () => app.tokens.mintLogoutToken({ alg: 'ES256', clientId, ...(await partsOf('boss')) }),
    }
    const ofClients = ['a client of a user', 'a client of an administrator', 'a client itself']
    /** The callers that are allowed, and those that are forbidden; all others are 401. */
    const words: Record<string, { in: string[]; forbidden?: string[] }> = {
      open: { in: Object.keys(callers) },
      'open to a session': { in: ['nobody', 'a user', 'an administrator'] },
      user: { in: ['a user', 'an administrator'] },
      fresh: { in: ['a user', 'an administrator'], forbidden: ['a key for it', 'a key for something else'] },
      'fresh administrators': {
        in: ['an administrator'],
        forbidden: ['a user', 'a key for it', 'a key for something else'],
      },
      'credentials of a client': { in: [] },
      openid: {
        in: ['a client of a user', 'a client of an administrator'],
        forbidden: ['a user', 'an administrator', 'a client itself'],
      },
      metrics: { in: ['the metrics token'] },
    }
    const permission = {
      in: ['an administrator', 'a key for it'],
      forbidden: ['a user', 'a key for something else'],
    }
    const document = readDocument(await (await app.request('GET', '/openapi.json')).text())
    let cells = 0
    for (const { method, path, bodies } of document.operations) {
      const [name] = Object.entries(written).find(([, routes]) => routes.includes(`${method} ${path}`)) ?? []
      if (name === undefined) throw new Error(`nobody has written down who may use ${method} ${path}`)
      const word = words[name] ?? permission
      for (const [caller, token] of Object.entries(callers)) {
        const target = path.replace(/\{\w+\}/g, 'nothing')
        const given = await token()
        const form = bodies[0]?.type.endsWith('urlencoded') ? { form: { token: 'nothing' } } : { json: {} }
        const answer = await app.request(method, target, {
          ...(bodies.length > 0 && form),
          ...(given !== undefined && { token: given }),
        })
        const isForbidden =
          word.forbidden?.includes(caller) ||
          (ofClients.includes(caller) && !['metrics', 'credentials of a client'].includes(name))
        const expected = word.in.includes(caller) ? 'in' : isForbidden ? 403 : 401
        const got = answer.status === 401 || answer.status === 403 ? answer.status : 'in'
        expect([method, path, caller, got]).toEqual([method, path, caller, expected])
        if (got === 403 && ofClients.includes(caller)) {
          await expectRefusal(answer, 'insufficient_scope')
          expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keyward", error="insufficient_scope"')
        }
        cells++
      }
    }
    // The pages have tests of their own, in test/pages. Two of them are in the document.
    const routes = app.table.routes.filter(({ page }) => !page)
    expect(cells).toBe((routes.length + 2) * Object.keys(callers).length)
  })

  test('K8, O2: users cannot give themselves more rights by what they send', async () => {
    const more = {
      id: 4711,
      role: 'admin',
      roles: ['admin'],
      permissions: ['tokens:introspect'],
      is_admin: true,
      is_active: false,
      email_verified: true,
      emailVerifiedAt: 1,
      password_hash: 'x',
      passwordHash: 'x',
      session_epoch: 7,
      created_at: '2001-01-01T00:00:00.000Z',
      admin: true,
      byAdmin: true,
      client: 'x',
      ip: 'x',
      constructor: { prototype: { admin: true } },
      prototype: { admin: true },
    }
    const headers = {
      'x-auth-request-groups': 'admin',
      'x-auth-request-user': '1',
      'x-role': 'admin',
      'x-user-id': '1',
      'x-forwarded-user': 'boss',
    }
    const json = { email: 'eve@example.com', username: 'eve', password, ...more }
    const made = await app.request('POST', '/register?role=admin&is_admin=true', { json, headers })
    expect(made.status).toBe(201)
    const view = (await made.json()) as object
    expect(view).toMatchObject({ username: 'eve', is_active: true, email_verified: false, roles: ['user'] })
    expect(view).not.toHaveProperty('id', 4711)
    const grant = await app.request('POST', '/token', {
      form: { username: 'eve', password, scope: 'admin tokens:introspect', roles: 'admin' },
      headers,
    })
    const { access_token: token } = (await grant.json()) as Pair
    await expectRefusal(
      await app.request('POST', '/introspect', { token, headers, form: { token, roles: 'admin' } }),
      'forbidden',
    )
    const change = await app.request('PATCH', '/users/me?role=admin', { token, headers, json: more })
    expect([200, 422]).toContain(change.status)
    expect(await (await app.request('GET', '/users/me', { token, headers })).json()).toEqual(view)
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false)
  })

  test('K8: members that no route knows are neither refused nor used', async () => {
    await make('boss', true)
    const { operations } = readDocument(await (await app.request('GET', '/openapi.json')).text())
    const taking = operations.filter(
      // An export also lists the session and the event of the request before, and each secret is a new one.
      ({ path, bodies }) =>
        !['/users/me/export', '/users/me/factors/totp'].includes(path) &&
        bodies.some(({ type }) => type === 'application/json'),
    )
    expect(taking.length).toBeGreaterThan(15)
    const unknown = { not_a_member: 'x', role: 'admin', id: 4711, is_admin: true, constructor: { prototype: 1 } }
    for (const { method, path, bodies } of taking) {
      const known = bodies.flatMap(({ members }) => members.map(({ name }) => name))
      const more = Object.fromEntries(Object.entries(unknown).filter(([name]) => !known.includes(name)))
      const send = async (json: object) => {
        const token = await tokenOf('boss')
        const answer = await app.request(method, path.replace(/\{\w+\}/g, 'nothing'), { token, json })
        return [method, path, answer.status, await answer.text()]
      }
      expect(await send(more)).toEqual(await send({}))
    }
  })

  test('O4: the first user, or the first twelve in parallel, is no administrator', async () => {
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        app.request('POST', '/register', {
          json: { email: `first${i}@example.com`, username: `first${i}`, password, roles: ['admin'] },
        }),
      ),
    )
    expect(await app.rows.users.count()).toBe(12)
    expect(await app.rows.userRoles.all({ role: 'admin' })).toEqual([])
  })

  test('O8: nothing of a deleted account works, and its name, once freed, is another person', async () => {
    const gone = await make('ada', true)
    await make('boss', true)
    const old = await loggedIn(app, { username: 'ada', password })
    const { text: key } = await app.admin.createApiKey({ owner: gone, scopes: ['tokens:introspect'] })
    await app.admin.deleteUser(gone)
    const json = { email: 'heir@example.com', username: 'ada', password }
    await expectRefusal(await app.request('POST', '/register', { json }), 'username_taken')
    await app.admin.freeName('ada')
    const heir = await make('ada')
    expect(heir.id).not.toBe(gone.id)
    expect(await me(app, old.access_token)).toBe(401)
    expect((await refresh(app, old.refresh_token)).status).toBe(401)
    await expectRefusal(await app.request('GET', '/user/user', { token: old.access_token }), 'user_not_found')
    const introspect = { token: key, form: { token: old.access_token } }
    await expectRefusal(await app.request('POST', '/introspect', introspect), 'invalid_token')
    for (const table of [app.rows.sessions, app.rows.apiKeys]) expect(await table.all()).toEqual([])
    expect(roleNames(await app.admin.userNamed('ada'))).toEqual(['user'])
  })
})
