import { beforeEach, describe, expect, test } from 'bun:test'
import { auditEvents } from '../../src/features/audit/events.ts'
import { DAY, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { auditOf, guess, limited, password } from '../limits/support.ts'
import { buildRequest, type SignedUp, type TestApp } from '../support/app.ts'
import { type CliOptions, keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'

const home = '192.0.2.1'
const away = '2001:db8:a:b:c::d'

describeEachDialect('the audit log records', (dialect) => {
  /** How many events were refused; undefined while the audit log accepts them. */
  let refused: number | undefined
  const store = watchStatements((sql) => {
    if (refused === undefined || !sql.startsWith('insert into "audit_events"')) return
    refused++
    throw new Error('no audit today')
  })
  const app = appPerTest(limited({ dialect, env: { MAX_SESSIONS_PER_USER: '2' }, replace: { store } }))
  let ada: SignedUp
  let seen = 0
  beforeEach(async () => {
    ada = await app.signUp('ada', password)
    await news()
  })

  /** The events since the last call, without id and time. */
  async function news(): Promise<Record<string, unknown>[]> {
    const all = await auditOf(app)
    const fresh = all.slice(seen === 0 || seen > all.length ? 0 : seen)
    seen = all.length
    return fresh.map(({ id: _id, at: _at, ipWholeSince: _since, ...row }) => row)
  }
  const row = (event: string, of: Record<string, unknown> = {}) => ({
    event,
    userId: ada.id,
    actorId: null,
    sessionId: null,
    ip: home,
    details: null,
    ...of,
  })
  const send = (method: string, path: string, options: Parameters<TestApp['request']>[2] = {}) =>
    app.request(method, path, { token: ada.grant.access_token, ...options })
  const sid = (token: string) =>
    (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sid: string }).sid
  const session = () => sid(ada.grant.access_token)
  const login = async (peer = home, device?: string) => {
    const form = { username: 'ada', password, ...(device !== undefined && { device_token: device }) }
    return (await (await app.request('POST', '/token', { form, peer })).json()) as SignedUp['grant']
  }
  const command = async (argv: string[], secret = '') => {
    const options: CliOptions = {
      databaseUrl: app.databaseUrl,
      clock: app.clock,
      env: { BCRYPT_COST: '10' },
      secret,
    }
    expect((await keyward(argv, options)).code).toBe(0)
  }

  test('a registration, logins, and whether the device was known', async () => {
    seen = 0
    const json = { email: 'bea@example.com', username: 'bea', password }
    const { id } = (await (await app.request('POST', '/register', { json, peer: away })).json()) as { id: number }
    expect((await news()).at(-1)).toEqual(row('user.registered', { userId: id, ip: away }))
    await app.clock.advance(SECOND)
    const first = await login(away)
    const details = { amr: 'pwd' }
    const told = { sessionId: sid(first.access_token), ip: away }
    expect(await news()).toEqual([row('login.succeeded', { ...told, details }), row('login.new_device', told)])
    await app.clock.advance(SECOND)
    const again = await login(home, first.device_token)
    const succeeded = row('login.succeeded', { sessionId: sid(again.access_token), details })
    expect(await news()).toEqual([
      row('session.ended', { sessionId: session(), details: { reason: 'too_many_sessions' } }),
      succeeded,
    ])
  })

  test('the time and the user of each event', async () => {
    await app.clock.advance(17 * SECOND)
    await guess(app, { username: 'ada', peer: away })
    expect((await auditOf(app)).at(-1)).toMatchObject({
      event: 'login.failed',
      at: app.clock.now(),
      userId: ada.id,
      ip: away,
      ipWholeSince: app.clock.now(),
    })
  })

  test('a failed login of a known and of an unknown user, without the name that was typed', async () => {
    await guess(app, { username: 'ADA@example.com', peer: away })
    await guess(app, { username: 'hunter2hunter2', password: 'hunter3', peer: away })
    expect(await news()).toEqual([row('login.failed', { ip: away }), row('login.failed', { userId: null, ip: away })])
    expect(JSON.stringify(await auditOf(app))).not.toContain('hunter')
  })

  test('an exceeded limit once, however often it refuses', async () => {
    for (let i = 0; i < 30; i++) await guess(app, { username: 'ada', peer: away })
    const [, , , ...rest] = await news()
    expect(rest).toEqual([row('limit.exceeded', { ip: away, details: { rule: 'login.name_prefix' } })])
    expect(app.logs.filter((line) => line.includes('"limit_exceeded"'))).toHaveLength(1)
  })

  test('a reused refresh token', async () => {
    const refresh = (refresh_token: string | undefined) =>
      app.request('POST', '/token/refresh', { json: { refresh_token }, peer: away })
    const first = ada.grant.refresh_token
    const second = (await (await refresh(first)).json()) as SignedUp['grant']
    await refresh(second.refresh_token)
    await app.clock.advance(MINUTE)
    expect((await refresh(first)).status).toBe(401)
    expect((await refresh(first)).status).toBe(401)
    const details = { presented: 0, current: 2 }
    expect(await news()).toEqual([row('session.refresh_token_reused', { sessionId: session(), ip: away, details })])
  })

  test('every way to end a session', async () => {
    const other = await login()
    await news()
    const ended = (token: string, reason: string) =>
      row('session.ended', { sessionId: sid(token), details: { reason } })
    await send('DELETE', `/users/me/sessions/${sid(other.access_token)}`)
    expect(await news()).toEqual([ended(other.access_token, 'ended_by_user')])
    // Ending an ended session is not an event.
    await send('DELETE', `/users/me/sessions/${sid(other.access_token)}`)
    expect(await news()).toEqual([])
    // Neither is ending all others when there are none.
    await send('DELETE', '/users/me/sessions?except=current')
    expect(await news()).toEqual([])
    await login()
    await news()
    await send('DELETE', '/users/me/sessions?except=current')
    expect(await news()).toEqual([
      row('session.all_ended', { sessionId: session(), details: { except_current: true } }),
    ])
    const third = await login()
    await news()
    await app.request('POST', '/revoke', { form: { token: third.refresh_token! } })
    expect(await news()).toEqual([ended(third.access_token, 'revoked')])
    await send('POST', '/logout')
    expect(await news()).toEqual([ended(ada.grant.access_token, 'logout')])
  })

  test('a changed password and a refused change', async () => {
    const change = (current_password: string) =>
      send('PUT', '/users/me/password', { json: { current_password, new_password: 'a better one, ada' } })
    expect((await change('wrong')).status).toBe(403)
    expect((await change(password)).status).toBe(204)
    const told = { sessionId: session() }
    expect(await news()).toEqual([row('password.change_refused', told), row('password.changed', told)])
  })

  test('what an administrator does on the command line', async () => {
    const cli = (event: string, of: Record<string, unknown> = {}) => row(event, { ip: null, ...of })
    await command(['users', 'create', '--email', 'root@example.com', '--username', 'chief', '--admin'], password)
    const { id } = await app.rows.users.one({ username: 'chief' })
    expect(await news()).toEqual([
      cli('user.created', { userId: id }),
      cli('role.granted', { userId: id, details: { role: 'admin' } }),
    ])
    await command(['users', 'set-password', 'ada'], 'set by somebody else')
    await command(['users', 'deactivate', 'ada'])
    await command(['users', 'deactivate', 'ada'])
    await command(['users', 'activate', 'ada'])
    expect(await news()).toEqual([cli('password.set_by_admin'), cli('user.deactivated'), cli('user.activated')])
    await command(['apikeys', 'create', '--owner', 'chief', '--name', 'k', '--scope', 'tokens:introspect'])
    await command(['apikeys', 'revoke', '1'])
    expect(await news()).toEqual([
      cli('api_key.created', { userId: id, details: { id: 1, scopes: 'tokens:introspect' } }),
      cli('api_key.revoked', { userId: id, details: { id: 1 } }),
    ])
    await command(['users', 'delete', 'ada', '--yes'])
    const all = await auditOf(app)
    expect(all.at(-1)).toMatchObject({ event: 'user.deleted', userId: ada.id })
    // Only the id of the deleted user remains.
    for (const left of all.filter(({ userId }) => userId === ada.id))
      expect(left).toMatchObject({ ip: null, ipWholeSince: null, sessionId: null })
  })

  test('signing keys created, rotated and revoked, in the same transaction', async () => {
    const keys = async () => (await news()).map(({ event, details, userId }) => ({ event, details, userId }))
    const told = (event: string, kid: string) => ({ event, details: { kid, alg: 'ES256' }, userId: null })
    const active = app.keys.signing().kid
    await app.clock.advance(DAY)
    const { active: second, next: third } = await app.keys.rotate()
    expect(await keys()).toEqual([
      told('key.retired', active),
      told('key.activated', second),
      told('key.created', third),
    ])
    await app.keys.revoke(second)
    const after = await keys()
    expect(after.slice(0, 2)).toEqual([told('key.revoked', second), told('key.activated', third)])
    expect(after.slice(2)).toMatchObject([{ event: 'key.created' }])
    // The first two come from the start.
    expect((await auditOf(app)).slice(0, 3).map(({ event }) => event)).toEqual([
      'key.created',
      'key.activated',
      'key.created',
    ])
  })

  test('an import as one event', async () => {
    const hash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 })
    const rows = [501, 502].map((id) => ({
      id: String(id),
      email: `old${id}@example.com`,
      username: `old${id}`,
      hash,
      isActive: '1',
      createdAt: null,
    }))
    await app.admin.importAccounts(rows)
    expect(await news()).toEqual([
      row('users.imported', { userId: null, ip: null, details: { accounts: 2, highest_id: 502 } }),
    ])
  })

  describe('in the transaction of the change, so that both fail together:', () => {
    /** Every operation that changes something, and records an event. */
    const changes: [string, () => Promise<unknown>][] = [
      ['a login', () => app.request('POST', '/token', { form: { username: 'ada', password } })],
      [
        'a registration',
        () => app.request('POST', '/register', { json: { email: 'x@example.com', username: 'xavier', password } }),
      ],
      ['a logout', () => send('POST', '/logout')],
      ['the end of all sessions', () => send('DELETE', '/users/me/sessions')],
      [
        'a password change',
        () =>
          send('PUT', '/users/me/password', { json: { current_password: password, new_password: 'a new one, ada' } }),
      ],
      ['a revocation', () => app.request('POST', '/revoke', { form: { token: ada.grant.refresh_token! } })],
      ['a rotation of keys', () => app.keys.rotate({ early: true }).catch(() => {})],
    ]

    test.each(changes.map(([name], index) => [name, index] as const))('%s', async (_, index) => {
      const { users, sessions, signingKeys } = app.rows
      const state = async () => JSON.stringify([await users.all(), await sessions.all(), await signingKeys.all()])
      const before = await state()
      refused = 0
      await changes[index]![1]().finally(() => {
        expect(refused).toBeGreaterThan(0)
        refused = undefined
      })
      expect(await state()).toBe(before)
      await changes[index]![1]()
      expect(await state()).not.toBe(before)
    })
  })

  test('no secret of a whole day of requests', async () => {
    const secrets = [
      password,
      'a wrong guess',
      'a new one, ada',
      ...Object.values(ada.grant).filter((v) => `${v}`.length > 30),
    ]
    await guess(app, { username: 'ada', password: 'a wrong guess' })
    await send('PUT', '/users/me/password', { json: { current_password: password, new_password: 'a new one, ada' } })
    const fetched = buildRequest('http://localhost:8000/revoke', 'POST', { form: { token: ada.grant.refresh_token! } })
    await app.fetch(fetched)
    const text = JSON.stringify(await auditOf(app))
    for (const secret of secrets) expect(text).not.toContain(secret)
    for (const { event } of await auditOf(app)) expect(auditEvents).toContain(event as never)
  })
})
