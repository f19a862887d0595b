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

  test('O2: 14.1 nobody grants what they do not hold', async () => {
    const boss = await person(app, 'boss', 'admin')
    const ada = await person(app, 'ada')
    const giver = await person(app, 'giver', 'roles:write users:read')
    await person(app, 'writer', 'users:write')
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
