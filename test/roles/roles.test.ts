import { expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { deactivate, deleteAccount } from '../../src/features/administration/administration.ts'
import { giveRole } from '../../src/features/roles/assign.ts'
import { permissions, permissionsOf } from '../../src/features/roles/permissions.ts'
import { findUser } from '../../src/features/users/find.ts'
import { audit, closeApps, createApps, withApp } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'

const userOf = async (app: TestApp, id: number) => (await findUser(app.deps, id))!

async function admins(app: TestApp, names: string[]): Promise<number[]> {
  const ids = []
  for (const name of names) {
    const { id } = await app.signUp(name)
    await giveRole(app.deps, { userId: id, role: 'admin' })
    ids.push(id)
  }
  return ids
}

async function activeAdmins({ deps: { store } }: TestApp): Promise<number> {
  const { users, userRoles } = store.t
  const rows = await store.q
    .select({ id: users.id })
    .from(userRoles)
    .innerJoin(users, eq(users.id, userRoles.userId))
    .where(eq(users.isActive, true))
  return rows.length
}

describeEachDialect('roles', (dialect) => {
  test('are there from the start: user, which everybody has, and admin, which holds every permission', () =>
    withApp({ dialect }, async (app) => {
      const { id } = await app.signUp()
      const { q, t } = app.deps.store
      expect((await q.select().from(t.roles)).map(({ name }) => name).sort()).toEqual(['admin', 'user'])
      expect([...(await permissionsOf(app.deps, await userOf(app, id)))]).toEqual([])
      await giveRole(app.deps, { userId: id, role: 'admin' })
      expect([...(await permissionsOf(app.deps, await userOf(app, id)))]).toEqual([...permissions])
    }))

  test('hold together what each of them holds, and nothing that is no permission', () =>
    withApp({ dialect }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      const { q, t } = app.deps.store
      await q.insert(t.roles).values([
        { name: 'support', description: '', permissions: 'users:read sessions:write', createdAt: 0 },
        { name: 'auditor', description: '', permissions: 'audit:read users:read keys:steal', createdAt: 0 },
      ])
      for (const role of ['support', 'auditor']) await giveRole(app.deps, { userId: ada.id, role })
      const held = async (id: number) => [...(await permissionsOf(app.deps, await userOf(app, id)))].sort()
      expect(await held(ada.id)).toEqual(['audit:read', 'sessions:write', 'users:read'])
      expect(await held(bea.id)).toEqual([])
      await q.update(t.roles).set({ permissions: 'tokens:introspect' }).where(eq(t.roles.name, 'user'))
      expect(await held(bea.id)).toEqual(['tokens:introspect'])
    }))

  test('are given once, and told once', async () => {
    const apps = await createApps(2, { dialect })
    const { id } = await apps[0]!.signUp()
    await Promise.all(Array.from({ length: 8 }, (_, at) => giveRole(apps[at % 2]!.deps, { userId: id, role: 'admin' })))
    expect((await userOf(apps[0]!, id)).grantedRoles).toBe('admin')
    expect(await audit(apps[0]!, 'role.granted')).toHaveLength(1)
    await closeApps(apps)
  })

  test('O5: one active administrator stays, however many are removed at once', async () => {
    const apps = await createApps(2, { dialect })
    const ids = await admins(apps[0]!, ['ada', 'bea', 'cyd', 'dan'])
    const outcomes = await Promise.allSettled(
      ids.map(async (id, at) => {
        const { deps } = apps[at % 2]!
        return (at < 2 ? deactivate : deleteAccount)(deps, await userOf(apps[0]!, id))
      }),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'last_admin' } })
    expect(await activeAdmins(apps[0]!)).toBe(1)
    await closeApps(apps)
  })

  test('O5: also when one becomes an administrator at the moment in which it is closed', async () => {
    const apps = await createApps(2, { dialect })
    for (let round = 0; round < 6; round++) {
      const [first] = await admins(apps[0]!, [`old${round}`])
      const { id } = await apps[0]!.signUp(`new${round}`)
      const fresh = await userOf(apps[0]!, id)
      await Promise.allSettled([
        deactivate(apps[0]!.deps, fresh),
        giveRole(apps[1]!.deps, { userId: id, role: 'admin' }).then(async () =>
          deactivate(apps[1]!.deps, await userOf(apps[1]!, first!)),
        ),
      ])
      expect(await activeAdmins(apps[0]!)).toBeGreaterThan(0)
      const { q, t } = apps[0]!.deps.store
      await q.delete(t.userRoles)
    }
    await closeApps(apps)
  })

  test('O2, O4: nobody makes himself an administrator by what he sends', () =>
    withApp({ dialect }, async (app) => {
      const more = {
        admin: true,
        byAdmin: true,
        is_admin: true,
        role: 'admin',
        roles: ['admin'],
        grantedRoles: 'admin',
      }
      const json = { email: 'eve@example.com', username: 'eve', password: 'correct horse battery', ...more }
      const answer = await app.request('POST', '/register', { json })
      expect([201, 422]).toContain(answer.status)
      const reserved = { ...json, email: 'eva@example.com', username: 'root' }
      expect((await app.request('POST', '/register', { json: reserved })).status).toBe(422)
      const { q, t } = app.deps.store
      expect(await q.select().from(t.userRoles)).toEqual([])
    }))
})
