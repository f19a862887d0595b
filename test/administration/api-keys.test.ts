import { expect, test } from 'bun:test'
import { permissions } from '../../src/features/roles/permissions.ts'
import { rfc3339, SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { transactionGate } from '../support/replace.ts'
import { acts, answered, type Page, type Person, person } from './support.ts'

const ip = '192.0.2.1'

interface KeyAnswer {
  id: number
  owner_id: number
  name: string
  scopes: string[]
  created_at: string
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
  key: string
}

type By = Pick<Person, 'token'>

const post = (app: TestApp, { token }: By, json: object) => app.request('POST', '/admin/api-keys', { token, json })
const create = (app: TestApp, by: By, json: object) => answered<KeyAnswer>(post(app, by, json), 201)
const revoke = (app: TestApp, { token }: By, id: number | string) =>
  app.request('DELETE', `/admin/api-keys/${id}`, { token })
const list = (app: TestApp, { token }: By, query = '') =>
  answered<Page<Omit<KeyAnswer, 'key'>>>(app.request('GET', `/admin/api-keys${query}`, { token }))

const gate = transactionGate()

describeApp('API keys over HTTP', { replace: { store: gate.replacement } }, (app) => {
  test('O9: 14.1 a key is created, shown once, used, listed, expired and revoked', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada', 'users:read')]
    const expiry = app.clock.now() + 60 * SECOND
    const sent = await post(app, boss, {
      name: 'gateway',
      scopes: ['users:read', 'users:read'],
      owner_id: ada.id,
      expires_at: rfc3339(expiry).replace('.000Z', '+00:00'),
    })
    expect(sent.headers.get('cache-control')).toBe('no-store')
    const { key, ...made } = await answered<KeyAnswer>(Promise.resolve(sent), 201)
    expect(made).toEqual({
      id: expect.any(Number),
      owner_id: ada.id,
      name: 'gateway',
      scopes: ['users:read'],
      created_at: rfc3339(app.clock.now()),
      expires_at: rfc3339(expiry),
      last_used_at: null,
      revoked_at: null,
    })
    const own = await create(app, boss, { name: 'own', scopes: ['audit:read', 'users:read'] })
    expect(own.owner_id).toBe(boss.id)
    const status = async (token: string, path = '/admin/users') => (await app.request('GET', path, { token })).status
    expect([await status(key), await status(key, '/admin/audit')]).toEqual([200, 403])
    expect([await status(own.key), await status(own.key, '/admin/audit')]).toEqual([200, 200])

    const { items, next_cursor } = await list(app, boss)
    expect([items.map(({ id }) => id), next_cursor]).toEqual([[made.id, own.id], null])
    expect(items[0]).toEqual({ ...made, last_used_at: rfc3339(app.clock.now()) })
    expect((await list(app, boss, `?owner_id=${boss.id}`)).items.map(({ id }) => id)).toEqual([own.id])
    expect(JSON.stringify([items, await app.rows.apiKeys.all(), await app.rows.auditEvents.all()])).not.toMatch(
      /kw_[A-Za-z0-9]/,
    )

    await app.clock.advance(60 * SECOND)
    expect([await status(key), await status(own.key)]).toEqual([401, 200])
    expect((await revoke(app, boss, own.id)).status).toBe(204)
    expect(await status(own.key)).toBe(401)
    await expectRefusal(await revoke(app, boss, own.id), 'api_key_not_found')
    expect((await list(app, boss)).items[1]!.revoked_at).toBe(rfc3339(app.clock.now()))
    expect(await acts(app)).toEqual([
      {
        event: 'api_key.created',
        userId: ada.id,
        actorId: boss.id,
        ip,
        details: { id: made.id, scopes: 'users:read' },
      },
      {
        event: 'api_key.created',
        userId: boss.id,
        actorId: boss.id,
        ip,
        details: { id: own.id, scopes: 'audit:read users:read' },
      },
      { event: 'api_key.revoked', userId: boss.id, actorId: boss.id, ip, details: { id: own.id } },
    ])
  })

  test('O2, O9: 14.1 no key has more than its maker, or is for a user with more; a key makes nothing', async () => {
    const boss = await person(app, 'boss', 'admin')
    const maker = await person(app, 'maker', 'api-keys:write users:read')
    const auditor = await person(app, 'auditor', 'audit:read')
    const reader = await person(app, 'reader', 'users:read')
    const plain = await person(app, 'plain')
    const scopes = ['users:read']
    for (const word of permissions.filter((one) => one !== 'users:read' && one !== 'api-keys:write'))
      await expectRefusal(await post(app, maker, { name: 'more', scopes: [word] }), 'validation_failed')
    for (const owner of [boss, auditor]) {
      await expectRefusal(await post(app, maker, { name: 'for', scopes, owner_id: owner.id }), 'forbidden')
      const { id } = await app.admin.createApiKey({ owner: owner.id, scopes: owner === boss ? scopes : ['audit:read'] })
      await expectRefusal(await revoke(app, maker, id), 'forbidden')
    }
    await expectRefusal(await post(app, maker, { name: 'for', scopes, owner_id: plain.id }), 'validation_failed')
    expect(await acts(app)).toEqual([])
    expect((await create(app, maker, { name: 'own', scopes })).owner_id).toBe(maker.id)
    const { id } = await create(app, maker, { name: 'for', scopes, owner_id: reader.id })
    expect((await revoke(app, maker, id)).status).toBe(204)

    // A key with every scope of an administrator makes neither keys nor roles nor administrators.
    const { text: token } = await app.admin.createApiKey({ owner: boss.id, scopes: [...permissions] })
    for (const [method, path, json] of [
      ['POST', '/admin/api-keys', { name: 'child', scopes }],
      ['DELETE', `/admin/api-keys/${id}`],
      ['POST', '/admin/roles', { name: 'child' }],
      ['PUT', `/admin/users/${plain.id}/roles/admin`],
    ] as const)
      await expectRefusal(await app.request(method, path, { token, ...(json && { json }) }), 'forbidden')
  })

  test('O9: 14.1 a key has what its owner has now, and nothing while the owner is deactivated', async () => {
    const [boss, ada] = [await person(app, 'boss', 'admin'), await person(app, 'ada', 'users:read audit:read')]
    const { key } = await create(app, boss, { name: 'k', scopes: ['users:read', 'audit:read'], owner_id: ada.id })
    const rights = async () => [
      (await app.request('GET', '/admin/users', { token: key })).status,
      (await app.request('GET', '/admin/audit', { token: key })).status,
    ]
    const patch = (path: string, json: object) => answered(app.request('PATCH', path, { token: boss.token, json }))
    expect(await rights()).toEqual([200, 200])
    await patch('/admin/roles/role-of-ada', { permissions: ['audit:read'] })
    expect(await rights()).toEqual([403, 200])
    await patch(`/admin/users/${ada.id}`, { is_active: false })
    expect(await rights()).toEqual([401, 401])
    const more = { name: 'k', scopes: ['audit:read'], owner_id: ada.id }
    await expectRefusal(await post(app, boss, more), 'user_inactive')
    await patch(`/admin/users/${ada.id}`, { is_active: true })
    expect(await rights()).toEqual([403, 200])
  })

  test('14.1 wrong values are 422 with every wrong field, and nothing is created', async () => {
    const boss = await person(app, 'boss', 'admin')
    const good = { name: 'k', scopes: ['users:read'] }
    const now = app.clock.now()
    for (const [json, ...fields] of [
      [{ ...good, name: '', scopes: [] }, 'name', 'scopes'],
      [{ ...good, name: 'x'.repeat(101) }, 'name'],
      [{ ...good, name: 'a\nb' }, 'name'],
      [{ ...good, scopes: ['users:delete'] }, 'scopes'],
      [{ ...good, scopes: ['users:read', 'users:read audit:read'] }, 'scopes'],
      [{ ...good, owner_id: 4711 }, 'owner_id'],
      [{ ...good, expires_at: rfc3339(now) }, 'expires_at'],
      [{ ...good, expires_at: 'tomorrow' }, 'expires_at'],
      [{ ...good, expires_at: '2037-01-31' }, 'expires_at'],
      [{ ...good, expires_at: '2037-01-31T12:00:00' }, 'expires_at'],
      [{ ...good, expires_at: '2037-02-29T12:00:00Z' }, 'expires_at'],
      [{ ...good, expires_at: '2037-02-28T24:00:00Z' }, 'expires_at'],
      [{ ...good, expires_at: '2037-02-28T12:00:00+24:00' }, 'expires_at'],
    ] as const) {
      const answer = await post(app, boss, json)
      const { errors } = (await answer.clone().json()) as { errors: { field: string }[] }
      await expectRefusal(answer, 'validation_failed')
      expect(errors.map(({ field }) => field)).toEqual([...fields])
    }
    for (const id of ['0', '4711', 'abc', '-1', '9'.repeat(30)])
      await expectRefusal(await revoke(app, boss, id), 'api_key_not_found')
    for (const query of ['owner_id=x', 'owner_id=0', 'cursor=x', 'limit=101', 'owner=1'])
      await expectRefusal(
        await app.request('GET', `/admin/api-keys?${query}`, { token: boss.token }),
        'validation_failed',
      )
    expect(await app.rows.apiKeys.count()).toBe(0)
    const late = { ...good, expires_at: '2037-02-28t12:00:00.5-01:30' }
    expect((await create(app, boss, late)).expires_at).toBe('2037-02-28T13:30:00.500Z')
  })

  test('O7: 14.1 paging while keys come and go neither misses nor repeats a key that stood throughout', async () => {
    const boss = await person(app, 'boss', 'admin')
    const add = (id: number) =>
      app.rows.apiKeys.add({ id, ownerId: boss.id, name: 'k', mac: `m${id}`, scopes: 'users:read', createdAt: 0 })
    for (let id = 100; id < 120; id++) await add(id)
    const found: number[] = []
    let gone = 100
    for (let cursor: string | null = ''; cursor !== null; gone += 2) {
      const page: Page<{ id: number }> = await list(app, boss, `?limit=3${cursor && `&cursor=${cursor}`}`)
      found.push(...page.items.map(({ id }) => id))
      cursor = page.next_cursor
      await app.rows.apiKeys.remove({ id: gone })
      await add(gone - 90)
      await add(gone + 100)
    }
    expect(found).toEqual([...new Set(found)].sort((a, b) => a - b))
    for (let id = 101; id < 120; id += 2) expect(found).toContain(id)
  })

  test('O2: 14.1 the rights of maker and owner are checked again in the transaction of the change', async () => {
    await person(app, 'boss', 'admin')
    const maker = await person(app, 'maker', 'api-keys:write users:read')
    const reader = await person(app, 'reader', 'users:read')
    const { id } = await app.admin.createApiKey({ owner: reader.id, scopes: ['users:read'] })
    const promote = () => app.admin.giveRole(reader.id, 'admin')
    const scopes = ['users:read']
    for (const send of [
      () => post(app, maker, { name: 'k', scopes, owner_id: reader.id }),
      () => revoke(app, maker, id),
    ]) {
      await expectRefusal(await gate.pass(send, promote), 'forbidden')
      await app.rows.userRoles.remove({ userId: reader.id, role: 'admin' })
      const demote = () => app.rows.roles.change({ name: 'role-of-maker' }, { permissions: 'users:read' })
      await expectRefusal(await gate.pass(send, demote), 'forbidden')
      await app.rows.roles.change({ name: 'role-of-maker' }, { permissions: 'api-keys:write users:read' })
    }
    const narrow = () => app.rows.roles.change({ name: 'role-of-maker' }, { permissions: 'api-keys:write' })
    await expectRefusal(await gate.pass(() => post(app, maker, { name: 'k', scopes }), narrow), 'validation_failed')
    expect(await app.rows.apiKeys.count()).toBe(1)
    expect(await acts(app)).toEqual([])
  })
})
