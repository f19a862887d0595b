import { expect, test } from 'bun:test'
import { decode } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest, describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { transactionGate } from '../support/replace.ts'
import { acts, type Person, person, tokenOf } from './support.ts'

const ip = '192.0.2.1'

const role = (
  app: TestApp,
  method: 'PUT' | 'DELETE',
  by: Pick<Person, 'token'>,
  { id }: Pick<Person, 'id'>,
  name: string,
) => app.request(method, `/admin/users/${id}/roles/${name}`, { token: by.token })

describeApp('roles over HTTP', {}, (app) => {
  test('O3: 14.1 a granted or withdrawn role counts at once at Keyward, and in the next token', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const forward = async () => (await app.request('GET', '/forward-auth?role=admin', { token: ada.token })).status
    const lists = async () => (await app.request('GET', '/admin/users', { token: ada.token })).status
    expect([await forward(), await lists()]).toEqual([403, 403])
    expect((await role(app, 'PUT', boss, ada, 'admin')).status).toBe(204)
    expect([await forward(), await lists()]).toEqual([200, 200])
    expect(decode(await tokenOf(app, ada)).payload.roles).toEqual(['admin', 'user'])
    const { text: key } = await app.admin.createApiKey({ owner: ada.id, scopes: ['users:read'] })
    const byKey = async () => (await app.request('GET', '/admin/users', { token: key })).status
    expect(await byKey()).toBe(200)
    for (let again = 0; again < 2; again++) expect((await role(app, 'PUT', boss, ada, 'admin')).status).toBe(204)
    for (let again = 0; again < 2; again++) expect((await role(app, 'DELETE', boss, ada, 'admin')).status).toBe(204)
    expect([await forward(), await lists(), await byKey()]).toEqual([403, 403, 403])
    expect(decode(await tokenOf(app, ada)).payload.roles).toEqual(['user'])
    const of = { userId: ada.id, actorId: boss.id, ip }
    expect(await acts(app)).toEqual([
      { event: 'role.granted', ...of, details: { role: 'admin', before: 'user', after: 'admin user' } },
      { event: 'role.withdrawn', ...of, details: { role: 'admin', before: 'admin user', after: 'user' } },
    ])
  })

  test('O2: 14.1 nobody grants what they do not hold, or changes a user who holds more', async () => {
    const boss = await person(app, 'boss', 'admin')
    const ada = await person(app, 'ada')
    const giver = await person(app, 'giver', 'roles:write users:read')
    const writer = await person(app, 'writer', 'users:write')
    const all = await person(app, 'all', 'tokens:introspect users:read users:write roles:write audit:read')
    const auditor = await person(app, 'auditor', 'audit:read')
    const reader = await person(app, 'reader', 'users:read')
    // No way up for oneself, for an accomplice, or by a role that is more than one's own.
    for (const target of [giver, ada, reader])
      for (const name of ['admin', 'role-of-writer', 'role-of-auditor', 'role-of-all'])
        await expectRefusal(await role(app, 'PUT', giver, target, name), 'forbidden')
    await expectRefusal(await role(app, 'PUT', all, all, 'admin'), 'forbidden')
    await expectRefusal(await role(app, 'DELETE', all, boss, 'admin'), 'forbidden')
    await expectRefusal(await role(app, 'DELETE', giver, auditor, 'role-of-auditor'), 'forbidden')
    // Users with more rights than the caller are out of reach of every route.
    for (const [caller, target] of [
      [writer, boss],
      [writer, auditor],
      [writer, giver],
      [all, boss],
    ] as const)
      for (const [method, rest, json] of [
        ['PATCH', '', { is_active: false }],
        ['PATCH', '', { username: 'stolen' }],
        ['DELETE', ''],
        ['DELETE', '/sessions'],
        ['POST', '/password-reset'],
        ['POST', '/invitation'],
      ] as const) {
        const options = { token: caller.token, ...(json && { json }) }
        await expectRefusal(await app.request(method, `/admin/users/${target.id}${rest}`, options), 'forbidden')
      }
    expect(await acts(app)).toEqual([])
    expect(await app.rows.userRoles.count()).toBe(6)
    expect((await role(app, 'PUT', giver, ada, 'role-of-reader')).status).toBe(204)
    expect((await role(app, 'DELETE', giver, reader, 'role-of-reader')).status).toBe(204)
    expect((await role(app, 'PUT', all, ada, 'role-of-auditor')).status).toBe(204)
    await expectRefusal(await role(app, 'PUT', boss, ada, 'none'), 'role_not_found')
    await expectRefusal(await role(app, 'DELETE', boss, ada, 'none'), 'role_not_found')
    await expectRefusal(await role(app, 'DELETE', boss, ada, 'user'), 'validation_failed')
  })

  test('O5: 14.1 the last administrator cannot withdraw the own role', async () => {
    const boss = await person(app, 'boss', 'admin')
    await expectRefusal(await role(app, 'DELETE', boss, boss, 'admin'), 'last_admin')
    const second = await person(app, 'second', 'admin')
    expect((await role(app, 'DELETE', boss, boss, 'admin')).status).toBe(204)
    await expectRefusal(await role(app, 'DELETE', second, second, 'admin'), 'last_admin')
  })
})

describeEachDialect('rights that change during a request', (dialect) => {
  const apps = appsPerTest()
  const pair = async () => {
    const first = await apps.open({ dialect })
    return [first, await apps.open({ databaseUrl: first.databaseUrl, clock: first.clock, dialect })] as const
  }
  const holders = async (app: TestApp) => {
    const ids = (await app.rows.userRoles.all({ role: 'admin' })).map(({ userId }) => userId)
    return (await app.rows.users.all({ isActive: true })).filter(({ id }) => ids.includes(id)).length
  }

  test('O5: 14.1 of two administrators who demote, deactivate or delete each other or themselves, one stays', async () => {
    const both = await pair()
    const [app] = both
    const acting = [
      (on: TestApp, by: Person, of: Person) => role(on, 'DELETE', by, of, 'admin'),
      (on: TestApp, { token }: Person, { id }: Person) =>
        on.request('PATCH', `/admin/users/${id}`, { token, json: { is_active: false } }),
      (on: TestApp, { token }: Person, { id }: Person) => on.request('DELETE', `/admin/users/${id}`, { token }),
    ]
    let round = 0
    for (const act of acting)
      for (const isOwn of [true, false]) {
        const admins = [await person(app, `ada${round}`, 'admin'), await person(app, `bea${round++}`, 'admin')] as const
        const answers = await Promise.all([
          act(both[0], admins[0], admins[isOwn ? 0 : 1]),
          act(both[1], admins[1], admins[isOwn ? 1 : 0]),
        ])
        expect(await holders(app)).toBe(1)
        const statuses = answers.map(({ status }) => status).sort()
        expect(statuses[0]).toBeLessThan(300)
        expect([401, 403, 409]).toContain(statuses[1]!)
        await app.rows.userRoles.remove({ role: 'admin' })
      }
  })

  test('14.1 the rights of both are checked again in the transaction of the change', async () => {
    const gate = transactionGate()
    const app = await apps.open({ dialect, replace: { store: gate.replacement } })
    await person(app, 'boss', 'admin')
    const writer = await person(app, 'writer', 'users:write roles:write')
    const victims = [
      await person(app, 'victim0'),
      await person(app, 'victim1'),
      await person(app, 'victim2'),
      await person(app, 'victim3'),
    ]
    const requests = [
      (id: number) => app.request('PATCH', `/admin/users/${id}`, { token: writer.token, json: { is_active: false } }),
      (id: number) => app.request('DELETE', `/admin/users/${id}`, { token: writer.token }),
      (id: number) => app.request('DELETE', `/admin/users/${id}/sessions`, { token: writer.token }),
      (id: number) => app.request('PUT', `/admin/users/${id}/roles/role-of-writer`, { token: writer.token }),
    ]
    for (const [at, send] of requests.entries()) {
      const { id } = victims[at]!
      const promote = () => app.rows.userRoles.add({ userId: id, role: 'admin', grantedAt: 0 })
      await expectRefusal(await gate.pass(() => send(id), promote), 'forbidden')
      expect((await app.admin.user(id)).isActive).toBe(true)
      await app.rows.userRoles.remove({ userId: id })
      // The caller loses the rights.
      const demote = () => app.rows.userRoles.remove({ userId: writer.id })
      await expectRefusal(await gate.pass(() => send(id), demote), 'forbidden')
      await app.rows.userRoles.add({ userId: writer.id, role: 'role-of-writer', grantedAt: 0 })
      expect(await app.rows.userRoles.count({ userId: id })).toBe(0)
    }
    expect(await acts(app)).toEqual([])
  })
})
