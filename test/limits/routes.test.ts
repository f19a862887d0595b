import { describe, expect, test } from 'bun:test'
import { limitNames } from '../../src/config/limits.ts'
import type { Route } from '../../src/http/route-table.ts'
import { DAY, SECOND } from '../../src/lib/clock.ts'
import { madePasskey } from '../enrollment/support.ts'
import { waitingLogin } from '../factors/support.ts'
import { loggedIn, sessionIdOf } from '../sessions/support.ts'
import { githubBody } from '../social/support.ts'
import type { RequestOptions, SignedUp, TestApp } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { limited, password } from './support.ts'

/** An attempt on a route with a limit. */
interface Attempt extends RequestOptions {
  /** For the parameter of the path. */
  id?: string
  /** For the second parameter of the path. */
  sid?: string
  query?: string
}

/** Passes the check of the members, and is malformed. */
const emptyAnswer = { clientDataJSON: '', authenticatorData: '', signature: '' }

/** Requests that count as an attempt on a route with a limit, by its name in the table. */
const attempts: Record<string, (i: number, app: TestApp, user: SignedUp) => Attempt | Promise<Attempt>> = {
  'POST /token': (_, _app, { username }) => ({ form: { username, password: 'wrong' } }),
  'POST /user/token': (_, _app, { username }) => ({ json: { username, password: 'wrong' } }),
  'POST /token/mfa': async (i, app, user) => {
    if (i === 0) await app.factors.addApp(user.id)
    return { json: { mfa_token: await waitingLogin(app, user), otp: 'wrong' } }
  },
  'POST /token/step-up': () => ({ json: { otp: 'wrong' } }),
  'POST /token/passkey': () => ({
    json: { credential: { id: 'AA', rawId: 'AA', type: 'public-key', response: emptyAnswer } },
  }),
  'POST /token/enroll': async (_, app, user) => ({ json: { mfa_token: await app.factors.beginEnrollment(user.id) } }),
  'POST /token/enroll/totp': async (_, app, user) => ({
    json: { mfa_token: await app.factors.beginEnrollment(user.id, 'proved') },
  }),
  'POST /token/enroll/confirm': async (i, app, user) => {
    if (i === 0) {
      const json = { mfa_token: await app.factors.beginEnrollment(user.id, 'proved') }
      pendingId = ((await (await app.request('POST', '/token/enroll/totp', { json })).json()) as { id: string }).id
    }
    const mfa_token = await app.factors.beginEnrollment(user.id, pendingId)
    return { json: { mfa_token, id: pendingId, otp: 'wrong' } }
  },
  'POST /revoke': async (i, app) => ({
    form: { token: 'x', client_id: await clientOnce(app, i), client_secret: 'kwc_wrong' },
  }),
  'POST /device_authorization': async (i, app) => ({
    form: { client_id: await clientOnce(app, i, true), scope: 'openid' },
  }),
  'DELETE /users/me/consents/:id': async (_, app, { id: userId }) => {
    const { client } = await app.admin.createClient()
    const times = { grantedAt: 0, lastUsedAt: 0 }
    await app.rows.consents.add({ userId, clientId: client.id, scopes: 'openid', ...times })
    return { id: client.id }
  },
  'POST /register': (i) => ({ json: { email: `r${i}@example.com`, username: `reg${i}`, password } }),
  'POST /password/forgot': (i) => ({ json: { email: `r${i % 3}@example.com` } }),
  'POST /email/verification': (i) => ({ json: { email: `v${i % 3}@example.com` } }),
  'POST /email/verify': async (i, app) => ({ json: await wrongCode(app, '/email/verification', i) }),
  'POST /login/email': (i) => ({ json: { email: `l${i % 3}@example.com` } }),
  'POST /login/email/verify': async (i, app) => ({ json: await wrongCode(app, '/login/email', i) }),
  'PUT /users/me/password': () => ({ json: { current_password: 'wrong', new_password: 'another good one' } }),
  'PATCH /users/me': (i) => ({ json: { name: `Name ${i}` } }),
  'DELETE /users/me': () => ({ json: { password: 'wrong' } }),
  'POST /users/me/export': () => ({ json: {} }),
  'POST /users/me/delete': () => ({ json: { password: 'wrong' } }),
  'DELETE /users/me/sessions': async (_, app, user) => {
    await loggedIn(app, user)
    return { query: '?except=current' }
  },
  'DELETE /users/me/identities/:id': async (i, app, { id }) => {
    const row = { userId: id, provider: `p-${++targets}`, issuer: 'https://hub.example', subject: `${targets}` }
    await app.rows.identities.add({ ...row, email: null, createdAt: i, lastUsedAt: i })
    return { id: String((await app.rows.identities.one({ subject: row.subject })).id) }
  },
  'POST /users/me/factors/totp': () => ({ json: {} }),
  'POST /users/me/factors/totp/:id/confirm': async (i, app, { id: userId, grant }) => {
    if (i === 0) await app.request('POST', '/users/me/factors/totp', { token: grant.access_token, json: {} })
    const { id } = await app.rows.totpFactors.one({ userId })
    // The guess is right once in 300,000 times, for each of them.
    return { id: `t${id}`, json: { code: '000000' } }
  },
  'POST /users/me/factors/webauthn/options': () => ({ json: { kind: 'passkey' } }),
  'POST /users/me/factors/webauthn': () => ({ json: madePasskey }),
  'PATCH /users/me/factors/:id': async (i, app, { id: userId }) => {
    const row = { userId, name: 'Phone', secret: '', createdAt: 0, confirmedAt: 0 }
    if (i === 0) await app.rows.totpFactors.add(row)
    return { id: `t${(await app.rows.totpFactors.one({ userId })).id}`, json: { name: `Name ${i}` } }
  },
  'DELETE /users/me/factors/:id': () => ({ id: 't1', json: { password: 'wrong' } }),
  'POST /users/me/recovery-codes': () => ({ json: { password: 'wrong' } }),
  'DELETE /users/me/trusted-devices': async (_, app, { id }) => {
    await trustedDevice(app, id)
    return {}
  },
  'DELETE /users/me/trusted-devices/:id': async (_, app, { id }) => ({ id: await trustedDevice(app, id) }),
  'POST /introspect': (i) => ({ form: { token: 'x', client_id: `gateway${i}`, client_secret: 'wrong' } }),
  'POST /admin/users': (i) => ({ json: { email: `n${i}@example.com`, username: `new-${i}`, password } }),
  'POST /admin/users/:id/invitation': async (i, app) => ({ id: String(await target(app, i, true)) }),
  'PATCH /admin/users/:id': (i, _app, { id }) => ({ id: String(id), json: { name: `Name ${i}` } }),
  'DELETE /admin/users/:id': async (i, app) => ({ id: String(await target(app, i)) }),
  'DELETE /admin/users/:id/sessions': async (i, app) => {
    const id = await target(app, i)
    await loggedIn(app, { username: (await app.admin.user(id)).username, password })
    return { id: String(id) }
  },
  'POST /admin/users/:id/password-reset': (_, _app, { id }) => ({ id: String(id) }),
  'POST /admin/users/:id/factor-recovery': async (i, app) => ({ id: await withFactor(app, i) }),
  'DELETE /admin/users/:id/factors': async (i, app) => ({ id: await withFactor(app, i), json: { reason: 'Lost' } }),
  'DELETE /admin/users/:id/factors/:fid': async (i, app) => {
    const id = await withFactor(app, i)
    const { id: fid } = await app.rows.totpFactors.one({ userId: Number(id) })
    return { id, sid: `t${fid}`, json: { reason: 'Lost' } }
  },
  'POST /factor-recovery/finish': async (i, app, user) => {
    if (i === 0) await withRecovery(app, user.id)
    return { json: { token: lastToken, password: 'wrong' } }
  },
  'PUT /admin/users/:id/roles/:role': async (i, app) => ({ id: String(await target(app, i)) }),
  'DELETE /admin/users/:id/roles/:role': async (i, app) => {
    const id = await target(app, i)
    await app.admin.giveRole(id, 'admin')
    return { id: String(id) }
  },
  'POST /admin/roles': (i) => ({ json: { name: `role-${i}` } }),
  'PATCH /admin/roles/:name': async (i, app) => ({ id: await spareRole(app), json: { description: `Role ${i}` } }),
  'DELETE /admin/roles/:name': async (_, app) => ({ id: await spareRole(app) }),
  'POST /admin/providers': (i) => ({ json: { ...githubBody, name: `provider-${i}` } }),
  'PATCH /admin/providers/:name': async (i, app) => ({ id: await provider(app), json: { label: `Label ${i}` } }),
  'POST /admin/providers/:name/test': async (_, app) => ({ id: await provider(app) }),
  'DELETE /admin/providers/:name': async (_, app) => ({ id: await provider(app) }),
  'POST /admin/api-keys': (i) => ({ json: { name: `key ${i}`, scopes: ['users:read'] } }),
  'DELETE /admin/api-keys/:id': async (_, app, user) => ({
    id: String((await app.admin.createApiKey({ owner: user.id, scopes: ['users:read'] })).id),
  }),
  'POST /admin/clients': (i) => ({ json: { name: `Shop ${i}`, redirect_uris: ['https://shop.example/cb'] } }),
  'PATCH /admin/clients/:id': async (i, app) => ({ id: await client(app), json: { name: `Shop ${i}` } }),
  'DELETE /admin/clients/:id': async (_, app) => ({ id: await client(app) }),
  'POST /admin/clients/:id/secrets': async (_, app) => ({ id: await client(app), json: {} }),
  'DELETE /admin/clients/:id/secrets/:sid': async (_, app) => {
    const id = await client(app)
    return { id, sid: String((await app.rows.clientSecrets.one({ clientId: id })).id) }
  },
  'POST /admin/keys/rotate': () => ({ json: { now: true } }),
  'POST /admin/keys/:kid/revoke': async (_, app) => ({
    id: (await app.rows.signingKeys.one({ state: 'next', alg: 'ES256' })).kid,
  }),
  'POST /admin/mail/:id/resend': async (_, app) => ({ id: await deadMail(app) }),
  'DELETE /users/me/sessions/:id': async (_, app, user) => ({ id: sessionIdOf(await loggedIn(app, user)) }),
}

/** Makes a user whom an administrator changes. */
async function target(app: TestApp, i: number, isInvited = false) {
  const names = { email: `t${++targets}@example.com`, username: `target-${i}-${targets}` }
  return (await app.admin.createUser({ ...names, ...(!isInvited && { password }) })).id
}

/** Makes a user with an authenticator app, whom an administrator helps. */
async function withFactor(app: TestApp, i: number): Promise<string> {
  const id = await target(app, i)
  await app.factors.addApp(id)
  return String(id)
}

/** Adds a device that the user trusts. */
async function trustedDevice(app: TestApp, userId: number): Promise<string> {
  const id = `trusted-device-${++targets}`.padEnd(22, '-')
  const { sessionEpoch: epoch } = await app.admin.user(userId)
  const createdAt = app.clock.now()
  const row = { id, userId, mac: id, epoch, name: '', ip: '192.0.2.1', createdAt, expiresAt: createdAt + 30 * DAY }
  await app.rows.trustedDevices.add(row)
  return id
}

let pendingId = ''
let lastToken = ''

/** Mails the user a link to remove lost factors. */
async function withRecovery(app: TestApp, userId: number): Promise<void> {
  await app.factors.addApp(userId)
  const boss = await app.signUp(`boss-${++targets}`, password)
  await app.admin.giveRole(boss.id, 'admin')
  await app.request('POST', `/admin/users/${userId}/factor-recovery`, { token: boss.grant.access_token })
  await app.process.deliverMail()
  lastToken = /kwm_[\w-]{43}/.exec(await (await app.request('GET', '/dev/mailbox.json')).text())![0]
}

let targets = 0

const client = async (app: TestApp): Promise<string> => (await app.admin.createClient()).client.id

/** Makes a provider that an administrator changes. */
async function provider(app: TestApp): Promise<string> {
  const name = `made-${++targets}`
  await app.admin.addProvider({ name, kind: 'oidc', issuer: 'http://127.0.0.1:1', clientId: 'keyward' })
  return name
}

/** Makes a role that an administrator changes. */
async function spareRole(app: TestApp): Promise<string> {
  const name = `spare-${++targets}`
  await app.rows.roles.add({ name, description: '', permissions: '', createdAt: 0 })
  return name
}

async function deadMail(app: TestApp): Promise<string> {
  const id = `mail-${++targets}`
  const mail = { kind: 'test', recipient: `${id}@example.com`, locale: 'en', details: '{}', state: 'dead', attempts: 1 }
  await app.rows.mails.add({ id, ...mail, dueAt: 0, createdAt: 0, endedAt: app.clock.now() })
  return id
}

let lastClient = ''

/** The id of a client that the first attempt registers; of a device, or of a confidential client. */
async function clientOnce(app: TestApp, attempt: number, isDevice = false): Promise<string> {
  if (attempt > 0) return lastClient
  const { client } = await app.admin.createClient(
    isDevice ? { isPublic: true, grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'] } : {},
  )
  lastClient = client.id
  return lastClient
}

const challenges = new Map<string, string>()

/** A wrong code for a mail that the first attempt asks for. */
async function wrongCode(app: TestApp, path: string, attempt: number) {
  if (attempt === 0) {
    const asked = await app.request('POST', path, { json: { email: `code@${path.length}.example.com` } })
    challenges.set(path, ((await asked.json()) as { challenge_id: string }).challenge_id)
    await app.process.deliverMail()
  }
  return { challenge_id: challenges.get(path), code: 'wrong!', password }
}

/** The words of a route's limits; none for a route that says why it needs no limit. */
const wordsOf = ({ limit }: Route): readonly string[] =>
  typeof limit === 'string' ? [limit] : Array.isArray(limit) ? limit : []

const nameOf = ({ method, pattern }: Route) => `${method} ${pattern}`

describe('the limits of routes', () => {
  const app = appPerSuite(
    limited({
      env: {
        METRICS_TOKEN: 'only-for-this-test',
        EMAIL_LOGIN: 'on',
        LIMITS: 'code.account=3/1d,passkey.prefix=20/5m',
        TRUSTED_DEVICE_DAYS: '30',
      },
      mailbox: true,
    }),
  )
  test('12.A2 each route that is open or not GET names its limits or the reason why it needs none', () => {
    const named = app.table.routes.filter(({ access, method }) => access === 'open' || method !== 'GET')
    expect(named.filter(({ access }) => access !== 'open').length).toBeGreaterThan(4)
    expect(named.filter(({ access }) => access === 'open').length).toBeGreaterThan(8)
    for (const route of named) {
      const { limit } = route
      if (limit !== undefined && typeof limit === 'object' && 'none' in limit)
        expect([nameOf(route), limit.none]).toEqual([nameOf(route), expect.stringMatching(/\w+ \w+ \w+/)])
      else {
        expect([nameOf(route), wordsOf(route).length > 0]).toEqual([nameOf(route), true])
        for (const word of wordsOf(route)) expect(limitNames.some((name) => name.startsWith(`${word}.`))).toBe(true)
      }
    }
  })

  test('12.A2 each route of a user that names no limit for writes says why', () => {
    const withoutLimit = app.table.routes.filter(
      (route) =>
        route.access !== 'open' &&
        route.method !== 'GET' &&
        !wordsOf(route).some((word) => word === 'account' || word === 'factor'),
    )
    // A deletion of the account succeeds once.
    const deletion = ['DELETE /users/me', 'POST /users/me/delete']
    // A confirmation needs an app that was begun, which counts.
    const confirmation = 'POST /users/me/factors/totp/:id/confirm'
    const reading = ['POST /introspect', 'POST /userinfo']
    expect(withoutLimit.map(nameOf).sort()).toEqual([...deletion, ...reading, confirmation, 'POST /logout'].sort())
  })

  test('each route that takes a password names its limit, open or not', async () => {
    const document = (await (await app.request('GET', '/openapi.json')).json()) as {
      paths: Record<string, Record<string, { requestBody?: unknown }>>
      components: unknown
    }
    const schemas = JSON.stringify(document.components)
    const takesPassword = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { requestBody }]) => {
          const text = JSON.stringify(requestBody ?? {})
          const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name)
          return /password/.test(text) || names.some((name) => new RegExp(`"${name}":\\{[^}]*password`).test(schemas))
        })
        .map(([method]) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    )
    expect(takesPassword).toContain('PUT /users/me/password')
    // Their tokens have 256 random bits, and they compare the password with nothing.
    const ofMail = ['POST /password/reset', 'POST /invitation/accept']
    for (const name of takesPassword.filter((one) => !ofMail.includes(one))) {
      const route = app.table.routes.find((one) => nameOf(one) === name)!
      expect([name, wordsOf(route).length]).not.toEqual([name, 0])
    }
  })

  const guarded = Object.keys(attempts)

  test('these tests know every route with a limit', () => {
    // The pages do what routes do that are here; test/pages has their limits.
    const named = app.table.routes.filter((route) => !route.page && wordsOf(route).length > 0)
    expect(named.map(nameOf).sort()).toEqual(guarded.toSorted())
  })

  test.each(guarded)('D8: %s answers 429 after enough attempts, and documents it', async (name) => {
    const route = app.table.routes.find((one) => nameOf(one) === name)!
    expect(route.statuses).toContain(429)
    // The limit of registrations has a new place every 90 s.
    await app.clock.advance(90 * SECOND)
    const user = await app.signUp(`user${guarded.indexOf(name)}`, password)
    // The credential of /introspect is what its limit counts.
    const sendsNone = route.access === 'open' || route.secret
    if (route.pattern.startsWith('/admin/')) await app.admin.giveRole(user.id, 'admin')
    const token = sendsNone ? undefined : user.grant.access_token
    const peer = `198.51.100.${guarded.indexOf(name)}`
    for (let i = 0; ; i++) {
      const { id = '', sid = '', query = '', ...options } = await attempts[name]!(i, app, user)
      const path =
        route.pattern
          .replace(/:(?:id|name|kid)/, id)
          .replace(/:(?:sid|fid)/, sid)
          .replace(':role', 'admin') + query
      const response = await app.request(route.method, path, { ...options, token, peer })
      if (response.status !== 429) {
        expect(i).toBeLessThan(50)
        continue
      }
      await expectRefusal(response, 'rate_limited')
      const limit = response.headers.get('ratelimit')!
      expect(limit).toMatch(new RegExp(`^"(${wordsOf(route).join('|')})\\.[a-z_]+";r=0;t=\\d+$`))
      expect(limit).toEndWith(`t=${response.headers.get('retry-after')}`)
      expect(response.headers.get('ratelimit-policy')).toMatch(/^"[a-z_.]+";q=\d+;w=\d+$/)
      return
    }
  })

  const bodies: Record<string, object> = {
    '/token/refresh': { refresh_token: 'x' },
    '/email/change/confirm': { token: 'x' },
    '/email/undo': { token: 'x' },
    '/password/reset': { token: 'x', password: 'x' },
    '/invitation/accept': { token: 'x', password: 'x' },
  }
  test('a route without a limit answers a hundred requests a second', async () => {
    const free = app.table.routes.filter(
      (route) => !route.page && route.access === 'open' && wordsOf(route).length === 0,
    )
    for (const route of free) {
      const path = route.pattern.replace(':file', 'none.js')
      const options: RequestOptions =
        route.method === 'GET' ? {} : path === '/revoke' ? { form: { token: 'x' } } : { json: bodies[path] ?? {} }
      for (let i = 0; i < 100; i++)
        expect([200, 302, 400, 401, 404]).toContain((await app.request(route.method, path, options)).status)
    }
  })
})
