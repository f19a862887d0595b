import { expect, test } from 'bun:test'
import { permissions } from '../../src/features/roles/permissions.ts'
import { decode } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest, describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { transactionGate } from '../support/replace.ts'
import { acts, answered, type Page, type Person, person, tokenOf } from './support.ts'

const ip = '192.0.2.1'

interface RoleAnswer {
  name: string
  description: string
  permissions: string[]
  requires_second_factor: boolean
  built_in: boolean
}

type By = Pick<Person, 'token'>

const create = (app: TestApp, { token }: By, json: object) => app.request('POST', '/admin/roles', { token, json })
const change = (app: TestApp, { token }: By, name: string, json: object) =>
  app.request('PATCH', `/admin/roles/${name}`, { token, json })
const remove = (app: TestApp, { token }: By, name: string) => app.request('DELETE', `/admin/roles/${name}`, { token })
const give = (app: TestApp, by: By, { id }: Pick<Person, 'id'>, name: string) =>
  app.request('PUT', `/admin/users/${id}/roles/${name}`, { token: by.token })

describeApp('the roles over HTTP', {}, (app) => {
  const stored = async () => (await app.rows.roles.all()).sort((a, b) => (a.name < b.name ? -1 : 1))

  test('O3: 14.1 a role is created, granted, narrowed and deleted, each at once for who has it', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada')]
    const description = 'Helps users'
    const made = await create(app, boss, { name: 'support', description, permissions: ['audit:read', 'users:read'] })
    const ofRole = { permissions: ['users:read', 'audit:read'], requires_second_factor: false, built_in: false }
    const role = { name: 'support', description, ...ofRole }
    expect(await answered<RoleAnswer>(Promise.resolve(made), 201)).toEqual(role)
    const read = () => app.request('GET', '/admin/roles/support', { token: boss.token })
    expect(await answered<RoleAnswer>(read())).toEqual(role)
    const { pathname } = new URL(made.headers.get('location')!, 'http://localhost/admin/roles')
    expect(pathname).toBe('/admin/roles/support')

    expect((await give(app, boss, ada, 'support')).status).toBe(204)
    const { text: key } = await app.admin.createApiKey({ owner: ada.id, scopes: ['users:read', 'audit:read'] })
    const status = async (path: string, token = ada.token) => (await app.request('GET', path, { token })).status
    const rights = async () => [
      await status('/admin/users'),
      await status('/admin/audit'),
      await status('/admin/audit', key),
      await status('/forward-auth?permission=audit:read'),
      await status('/forward-auth?role=support'),
      decode(await tokenOf(app, ada)).payload.roles,
    ]
    expect(await rights()).toEqual([200, 200, 200, 200, 200, ['support', 'user']])
    const narrowed = await answered<RoleAnswer>(change(app, boss, 'support', { permissions: ['users:read'] }))
    expect(narrowed).toEqual({ ...role, permissions: ['users:read'] })
    expect(await rights()).toEqual([200, 403, 403, 403, 200, ['support', 'user']])
    await answered(change(app, boss, 'support', { permissions: ['users:read', 'audit:read'], description: 'Reads' }))
    expect(await rights()).toEqual([200, 200, 200, 200, 200, ['support', 'user']])
    const strict = await answered<RoleAnswer>(change(app, boss, 'support', { requires_second_factor: true }))
    expect(strict).toEqual({ ...role, description: 'Reads', requires_second_factor: true })
    // Nothing of it is lost before the grace days are over.
    expect(await rights()).toEqual([200, 200, 200, 200, 200, ['support', 'user']])
    await answered(change(app, boss, 'support', { requires_second_factor: false }))
    for (const nothing of [
      {},
      { description: 'Reads' },
      { requires_second_factor: false },
      { permissions: ['audit:read', 'users:read', 'users:read'] },
    ])
      expect((await change(app, boss, 'support', nothing)).status).toBe(200)
    expect((await remove(app, boss, 'support')).status).toBe(204)
    expect(await rights()).toEqual([403, 403, 403, 403, 403, ['user']])
    await expectRefusal(await read(), 'role_not_found')
    await expectRefusal(await remove(app, boss, 'support'), 'role_not_found')
    // A new role of this name is nobody's.
    expect((await create(app, boss, { name: 'support', permissions: [...permissions] })).status).toBe(201)
    expect(await rights()).toEqual([403, 403, 403, 403, 403, ['user']])

    const by = { userId: null, actorId: boss.id, ip }
    const both = 'users:read audit:read'
    expect((await acts(app)).filter(({ event }) => event !== 'role.granted')).toEqual([
      { event: 'role.created', ...by, details: { role: 'support', permissions: both } },
      { event: 'role.updated', ...by, details: { role: 'support', before: both, after: 'users:read' } },
      { event: 'role.updated', ...by, details: { role: 'support', before: 'users:read', after: both } },
      ...[true, false].map((required) => ({
        event: 'role.updated',
        ...by,
        details: { role: 'support', before: both, after: both, requires_second_factor: required },
      })),
      { event: 'role.deleted', ...by, details: { role: 'support', permissions: both, holders: 1 } },
      { event: 'role.created', ...by, details: { role: 'support', permissions: permissions.join(' ') } },
    ])
  })

  test('O2: 14.1 nobody gives a role what they do not have, or changes a role that is more than they are', async () => {
    const boss = await person(app, 'boss', 'admin')
    const giver = await person(app, 'giver', 'roles:write users:read')
    const reader = await person(app, 'reader', 'users:read')
    const auditor = await person(app, 'auditor', 'audit:read')
    await answered(create(app, boss, { name: 'helper', permissions: ['users:read'] }), 201)
    const before = await stored()
    // Not by a new role, by a role of others, or by the own role.
    for (const words of [['audit:read'], ['users:read', 'audit:read'], [...permissions]]) {
      await expectRefusal(await create(app, giver, { name: 'more', permissions: words }), 'forbidden')
      for (const name of ['helper', 'role-of-giver', 'role-of-reader', 'role-of-auditor', 'user'])
        await expectRefusal(await change(app, giver, name, { permissions: words }), 'forbidden')
    }
    for (const [name, json] of [
      ['role-of-auditor', { permissions: [] }],
      ['role-of-auditor', { description: 'mine' }],
      ['role-of-auditor', { requires_second_factor: true }],
      ['admin', { permissions: [] }],
    ] as const)
      await expectRefusal(await change(app, giver, name, json), 'forbidden')
    for (const name of ['role-of-auditor', 'admin']) await expectRefusal(await remove(app, giver, name), 'forbidden')
    // A role within the own rights is out of reach while somebody has it who has more.
    for (const { id } of [boss, auditor]) {
      await app.admin.giveRole(id, 'helper')
      await expectRefusal(await change(app, giver, 'helper', { permissions: [] }), 'forbidden')
      await expectRefusal(await remove(app, giver, 'helper'), 'forbidden')
      await app.rows.userRoles.remove({ userId: id, role: 'helper' })
    }
    expect(await stored()).toEqual(before)
    expect((await acts(app)).map(({ actorId }) => actorId)).toEqual([boss.id])
    // Within the own rights all of it is possible.
    await app.admin.giveRole(reader.id, 'helper')
    await answered(create(app, giver, { name: 'less', permissions: ['users:read'] }), 201)
    await answered(change(app, giver, 'helper', { permissions: [] }))
    expect((await remove(app, giver, 'helper')).status).toBe(204)
  })

  test('14.1 the roles user and admin stay as they are, and wrong values are 422', async () => {
    const boss = await person(app, 'boss', 'admin')
    const before = await stored()
    for (const name of ['user', 'admin']) {
      await expectRefusal(await remove(app, boss, name), 'role_built_in')
      await expectRefusal(await change(app, boss, name, { permissions: ['users:read'] }), 'role_built_in')
      await expectRefusal(await change(app, boss, name, { description: 'x' }), 'role_built_in')
      await expectRefusal(await change(app, boss, name, { requires_second_factor: true }), 'role_built_in')
      await expectRefusal(await create(app, boss, { name }), 'role_taken')
      const built = await answered<RoleAnswer>(app.request('GET', `/admin/roles/${name}`, { token: boss.token }))
      expect(built).toMatchObject({ built_in: true, permissions: name === 'admin' ? [...permissions] : [] })
    }
    for (const json of [
      {},
      { name: '' },
      { name: 'Admin' },
      { name: 'a b' },
      { name: 'a,b' },
      { name: '1a' },
      { name: 'x'.repeat(65) },
      { name: 'a\u0000' },
      { name: 'good', description: 'x'.repeat(201) },
      { name: 'good', description: 'a\nb' },
      { name: 'good', permissions: ['users:delete'] },
      { name: 'good', permissions: ['users:read', ''] },
      { name: 'good', permissions: ['USERS:READ'] },
      { name: 'good', permissions: 'users:read' },
      { name: 'good', permissions: [1] },
      { name: 'good', requires_second_factor: 'true' },
    ]) {
      const body = await expectRefusal(await create(app, boss, json), 'validation_failed')
      expect(JSON.stringify(body)).not.toContain('users:delete')
    }
    for (const name of ['none', '%00', 'x'.repeat(300), 'a%20b'])
      for (const answer of [
        await change(app, boss, name, { description: 'x' }),
        await remove(app, boss, name),
        await app.request('GET', `/admin/roles/${name}`, { token: boss.token }),
        await give(app, boss, boss, name),
      ])
        expect([name, answer.status]).toEqual([name, 404])
    expect(await stored()).toEqual(before)
    expect(await acts(app)).toEqual([])
  })

  test('O7: 14.1 paging while roles come and go neither misses nor repeats a role that stood throughout', async () => {
    const boss = await person(app, 'boss', 'admin')
    const add = (name: string) => app.rows.roles.add({ name, description: '', permissions: '', createdAt: 0 })
    for (let at = 10; at < 30; at++) await add(`r${at}`)
    const found: string[] = []
    let gone = 10
    for (let cursor: string | null = ''; cursor !== null; gone += 2) {
      const path: string = `/admin/roles?limit=3${cursor && `&cursor=${cursor}`}`
      const page: Page<RoleAnswer> = await answered(app.request('GET', path, { token: boss.token }))
      expect(page.items.length).toBeLessThanOrEqual(3)
      found.push(...page.items.map(({ name }) => name))
      cursor = page.next_cursor
      await app.rows.roles.remove({ name: `r${gone}` })
      await add(`a${gone}`)
      await add(`r${gone + 30}`)
    }
    expect(found).toEqual([...new Set(found)].sort())
    for (let at = 11; at < 30; at += 2) expect(found).toContain(`r${at}`)
    for (const query of ['cursor=', 'cursor=%00', 'limit=0', 'limit=101', 'q=a'])
      await expectRefusal(await app.request('GET', `/admin/roles?${query}`, { token: boss.token }), 'validation_failed')
  })
})

describeEachDialect('roles that change at the same moment', (dialect) => {
  const apps = appsPerTest()
  const pair = async () => {
    const first = await apps.open({ dialect })
    return [first, await apps.open({ databaseUrl: first.databaseUrl, clock: first.clock, dialect })] as const
  }

  test('14.1 of two who create a role with one name, one gets 201 and one 409', async () => {
    const both = await pair()
    const boss = await person(both[0], 'boss', 'admin')
    for (let round = 0; round < 5; round++) {
      const json = { name: `role-${round}`, permissions: ['users:read'] }
      const answers = await Promise.all(both.map((app) => create(app, boss, json)))
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
      await expectRefusal(answers.find(({ status }) => status === 409)!, 'role_taken')
    }
    expect((await acts(both[0])).map(({ event }) => event)).toEqual(Array(5).fill('role.created'))
  })

  test('O5: 14.1 no deletion or change of a role, whatever else happens, leaves the service without an administrator', async () => {
    const both = await pair()
    const [app] = both
    const holders = async () => (await app.rows.userRoles.all({ role: 'admin' })).length
    for (const [round, act] of [
      (by: Person) => remove(both[1], by, 'admin'),
      (by: Person) => change(both[1], by, 'admin', { permissions: [] }),
    ].entries()) {
      const [first, second] = [await person(app, `ada${round}`, 'admin'), await person(app, `bea${round}`, 'admin')]
      const demote = () => app.request('DELETE', `/admin/users/${second.id}/roles/admin`, { token: first.token })
      const answers = await Promise.all([demote(), act(second)])
      expect(answers[0].status).toBe(204)
      // The second one may have been demoted before.
      expect([403, 409]).toContain(answers[1].status)
      expect(await holders()).toBe(1)
      const own = await Promise.all([
        app.request('DELETE', `/admin/users/${first.id}/roles/admin`, { token: first.token }),
        act(first),
      ])
      expect(own.map(({ status }) => status)).toEqual([409, 409])
      expect(await holders()).toBe(1)
      expect((await app.request('GET', '/admin/audit', { token: first.token })).status).toBe(200)
      await app.rows.userRoles.remove({ role: 'admin' })
    }
  })

  test('O2: 14.1 the rights and the role are checked again in the transaction of the change', async () => {
    const gate = transactionGate()
    const app = await apps.open({ dialect, replace: { store: gate.replacement } })
    const boss = await person(app, 'boss', 'admin')
    const giver = await person(app, 'giver', 'roles:write users:read')
    await answered(create(app, boss, { name: 'helper', permissions: ['users:read'] }), 201)
    const requests = [
      () => create(app, giver, { name: 'mine', permissions: ['users:read'] }),
      () => change(app, giver, 'helper', { permissions: [] }),
      () => remove(app, giver, 'helper'),
    ]
    const own = { name: 'role-of-giver' }
    for (const send of requests) {
      for (const left of ['roles:write', 'users:read']) {
        const narrow = () => app.rows.roles.change(own, { permissions: left })
        await expectRefusal(await gate.pass(send, narrow), 'forbidden')
        await app.rows.roles.change(own, { permissions: 'roles:write users:read' })
      }
      const demote = () => app.rows.userRoles.remove({ userId: giver.id })
      await expectRefusal(await gate.pass(send, demote), 'forbidden')
      await app.admin.giveRole(giver.id, own.name)
    }
    for (const send of requests.slice(1)) {
      const promote = () => app.admin.giveRole(boss.id, 'helper')
      await expectRefusal(await gate.pass(send, promote), 'forbidden')
      await app.rows.userRoles.remove({ userId: boss.id, role: 'helper' })
    }
    expect((await acts(app)).map(({ actorId }) => actorId)).toEqual([boss.id])
  })
})
