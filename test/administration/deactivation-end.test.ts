import { expect, test } from 'bun:test'
import { rfc3339, SECOND } from '../../src/lib/clock.ts'
import { refresh } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest, describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { transactionGate } from '../support/replace.ts'
import { acts, answered, type Person, password, person, tokenOf } from './support.ts'

const ip = '192.0.2.1'

const patch = (app: TestApp, { token }: Pick<Person, 'token'>, { id }: Pick<Person, 'id'>, json: object) =>
  app.request('PATCH', `/admin/users/${id}`, { token, json })
/** What happened to a user, without what others than administrators and Keyward did. */
const events = async (app: TestApp, { id }: Pick<Person, 'id'>) =>
  (await app.rows.auditEvents.all({ userId: id }))
    .filter(({ event }) => event === 'user.deactivated' || event === 'user.activated')
    .map(({ event, actorId, details }) => [event, actorId, JSON.parse(details ?? 'null') as unknown])

describeApp('a deactivation with an end', { jobs: true }, (app) => {
  test('14.1 refuses login, tokens, keys and /forward-auth until its end, and none of them after it', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada', 'users:read')]
    const { text: key } = await app.admin.createApiKey({ owner: ada.id, scopes: ['users:read'] })
    const end = app.clock.now() + 60 * SECOND
    const json = { is_active: false, inactive_until: rfc3339(end), reason: 'Holiday' }
    expect(await answered<object>(patch(app, boss, ada, json))).toMatchObject({
      is_active: false,
      inactive_until: rfc3339(end),
    })
    const status = async (path: string, token: string) => (await app.request('GET', path, { token })).status
    const rights = async () => [
      (await app.request('POST', '/token', { form: { username: 'ada', password } })).status,
      await status('/users/me', ada.token),
      (await refresh(app, ada.grant.refresh_token!)).status,
      await status('/admin/users', key),
      await status('/forward-auth', ada.token),
    ]
    expect(await rights()).toEqual([401, 401, 401, 401, 401])
    await app.passTime(50 * SECOND)
    expect(await rights()).toEqual([401, 401, 401, 401, 401])
    await app.passTime(10 * SECOND)
    // The sessions have ended for good.
    expect(await rights()).toEqual([200, 401, 401, 200, 401])
    const token = await tokenOf(app, ada)
    expect([await status('/users/me', token), await status('/forward-auth', token)]).toEqual([200, 200])
    const read = app.request('GET', `/admin/users/${ada.id}`, { token: boss.token })
    expect(await answered<object>(read)).toMatchObject({ is_active: true, inactive_until: null })
    await app.passTime(60 * SECOND)
    expect(await events(app, ada)).toEqual([
      ['user.deactivated', boss.id, { reason: 'Holiday', until: rfc3339(end) }],
      ['user.activated', null, { reason: 'end_of_deactivation' }],
    ])
  })

  test('14.1 gets another end, or none, by another deactivation, and ends early by an activation', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const at = (seconds: number) => rfc3339(app.clock.now() + seconds * SECOND)
    const [soon, late] = [at(20), at(40)]
    const isActive = async () => (await app.admin.user(ada.id)).isActive
    for (const inactive_until of [soon, late, late])
      await answered(patch(app, boss, ada, { is_active: false, inactive_until }))
    await app.passTime(30 * SECOND)
    expect(await isActive()).toBe(false)
    expect(await answered<object>(patch(app, boss, ada, { is_active: false }))).toMatchObject({ inactive_until: null })
    await answered(patch(app, boss, ada, { username: 'ada2' }))
    await app.passTime(60 * SECOND)
    expect(await isActive()).toBe(false)
    const last = at(20)
    await answered(patch(app, boss, ada, { is_active: false, inactive_until: last }))
    expect(await answered<object>(patch(app, boss, ada, { is_active: true }))).toMatchObject({ inactive_until: null })
    await app.passTime(60 * SECOND)
    expect(await events(app, ada)).toEqual([
      ['user.deactivated', boss.id, { until: soon }],
      ['user.deactivated', boss.id, { until: late }],
      ['user.deactivated', boss.id, null],
      ['user.deactivated', boss.id, { until: last }],
      ['user.activated', boss.id, null],
    ])
  })

  test('14.1 gets 422 for an end that is none, has passed or belongs to no deactivation; the last administrator stays', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const later = rfc3339(app.clock.now() + SECOND)
    for (const json of [
      { is_active: false, inactive_until: rfc3339(app.clock.now()) },
      { is_active: false, inactive_until: 'tomorrow' },
      { is_active: false, inactive_until: '2037-01-31T12:00:00' },
      { is_active: false, inactive_until: '' },
      { is_active: true, inactive_until: later },
      { inactive_until: later },
    ])
      await expectRefusal(await patch(app, boss, ada, json), 'validation_failed')
    await expectRefusal(await patch(app, boss, boss, { is_active: false, inactive_until: later }), 'last_admin')
    expect(await acts(app)).toEqual([])
    // Whoever is deactivated for a time is no administrator for that time.
    const second = await person(app, 'second', 'admin')
    await answered(patch(app, boss, second, { is_active: false, inactive_until: later }))
    await expectRefusal(await patch(app, boss, boss, { is_active: false }), 'last_admin')
    await app.passTime(10 * SECOND)
    expect((await patch(app, boss, boss, { is_active: false })).status).toBe(200)
    expect((await acts(app)).at(-1)).toEqual({
      event: 'user.deactivated',
      userId: boss.id,
      actorId: boss.id,
      ip,
      details: null,
    })
  })
})

describeEachDialect('the end of a deactivation', (dialect) => {
  const apps = appsPerTest()

  test('14.1 comes at the start of a server that was down, and once with several servers', async () => {
    const first = await apps.open({ dialect })
    const shared = { databaseUrl: first.databaseUrl, clock: first.clock, dialect }
    const users = []
    for (let at = 0; at < 5; at++) users.push(await person(first, `user${at}`))
    const until = '2026-01-01T01:00:00.000Z'
    for (const { username } of users) {
      const argv = ['users', 'deactivate', username, '--until', until, '--reason', 'Holiday']
      const { code, out } = await keyward(argv, shared)
      expect([code, out]).toEqual([
        0,
        expect.stringMatching(/^Deactivated until 2026-01-01T01:00:00\.000Z: user\d .*inactive/),
      ])
    }
    await first.clock.advance(3_600 * SECOND)
    const both = await Promise.all([1, 2].map(() => apps.open({ ...shared, jobs: true })))
    for (const app of both) await app.passTime(10 * SECOND)
    for (const user of users)
      expect(await events(first, user)).toEqual([
        ['user.deactivated', null, { reason: 'Holiday', until }],
        ['user.activated', null, { reason: 'end_of_deactivation' }],
      ])
    expect(await first.rows.users.count({ isActive: true })).toBe(5)
  })

  test('14.1 does not come when somebody moves it at the last moment', async () => {
    const gate = transactionGate()
    const app = await apps.open({ dialect, replace: { store: gate.replacement } })
    const [ada, bea] = [await person(app, 'ada'), await person(app, 'bea')]
    const until = app.clock.now() + SECOND
    for (const { id } of [ada, bea]) await app.rows.users.change({ id }, { isActive: false, inactiveUntil: until })
    await app.clock.advance(SECOND)
    const move = () => app.rows.users.change({ id: ada.id }, { inactiveUntil: until + 60 * SECOND })
    expect(await gate.pass(() => app.admin.activateDue(), move)).toBe(1)
    expect((await app.rows.users.all({ isActive: true })).map(({ id }) => id)).toEqual([bea.id])
    expect([await events(app, ada), await events(app, bea)]).toEqual([
      [],
      [['user.activated', null, { reason: 'end_of_deactivation' }]],
    ])
  })

  test('14.1 keyward users deactivate says what is wrong with --until and --reason', async () => {
    const app = await apps.open({ dialect })
    await person(app, 'ada')
    for (const [argv, exit, message] of [
      [['--until', 'tomorrow'], 2, '--until takes a time with its zone, such as 2027-01-31T12:00:00Z'],
      [['--until', '2025-01-31T12:00:00Z'], 1, 'The end of the deactivation must be in the future'],
      [['--reason', ''], 1, 'The reason must have 1 to 200 characters'],
    ] as const) {
      const { code, err } = await keyward(['users', 'deactivate', 'ada', ...argv], app)
      expect([code, err]).toEqual([exit, expect.stringContaining(message)])
    }
    expect(await app.rows.users.count({ isActive: true })).toBe(1)
  })
})
