import { expect, test } from 'bun:test'
import { permissions } from '../../src/features/roles/permissions.ts'
import { audit } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { closeApps, createApps, withApp } from '../support/hooks.ts'

async function admins(app: TestApp, names: string[]): Promise<number[]> {
  const ids = []
  for (const name of names) {
    const { id } = await app.signUp(name)
    await app.admin.giveRole(id, 'admin')
    ids.push(id)
  }
  return ids
}

async function activeAdmins({ rows }: TestApp): Promise<number> {
  const holders = new Set((await rows.userRoles.all()).map(({ userId }) => userId))
  return (await rows.users.all({ isActive: true })).filter(({ id }) => holders.has(id)).length
}

describeEachDialect('roles', (dialect) => {
  test('exist from the start: user, which everybody has, and admin, which has every permission', () =>
    withApp({ dialect }, async (app) => {
      const { id } = await app.signUp()
      expect((await app.rows.roles.all()).map(({ name }) => name).sort()).toEqual(['admin', 'user'])
      expect(await app.admin.permissionsOf(id)).toEqual([])
      await app.admin.giveRole(id, 'admin')
      expect(await app.admin.permissionsOf(id)).toEqual([...permissions])
    }))

  test('combine their permissions, and ignore unknown permissions', () =>
    withApp({ dialect }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      await app.rows.roles.add(
        { name: 'support', description: '', permissions: 'tokens:introspect sessions:write', createdAt: 0 },
        { name: 'auditor', description: '', permissions: 'later:read tokens:introspect keys:steal', createdAt: 0 },
      )
      for (const role of ['support', 'auditor']) await app.admin.giveRole(ada.id, role)
      const held = async (id: number) => (await app.admin.permissionsOf(id)).sort()
      expect(await held(ada.id)).toEqual(['tokens:introspect'])
      expect(await held(bea.id)).toEqual([])
      await app.rows.roles.change({ name: 'user' }, { permissions: 'tokens:introspect' })
      expect(await held(bea.id)).toEqual(['tokens:introspect'])
    }))

  test('are given once, and audited once', async () => {
    const apps = await createApps(2, { dialect })
    const { id } = await apps[0]!.signUp()
    await Promise.all(Array.from({ length: 8 }, (_, at) => apps[at % 2]!.admin.giveRole(id, 'admin')))
    expect((await apps[0]!.admin.user(id)).grantedRoles).toBe('admin')
    expect(await audit(apps[0]!, 'role.granted')).toHaveLength(1)
    await closeApps(apps)
  })

  test('O5: one active administrator remains, however many are removed in parallel', async () => {
    const apps = await createApps(2, { dialect })
    const ids = await admins(apps[0]!, ['ada', 'bea', 'cyd', 'dan'])
    const outcomes = await Promise.allSettled(
      ids.map(async (id, at) => {
        const { admin } = apps[at % 2]!
        const user = await apps[0]!.admin.user(id)
        return at < 2 ? admin.deactivate(user) : admin.deleteUser(user)
      }),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'last_admin' } })
    expect(await activeAdmins(apps[0]!)).toBe(1)
    await closeApps(apps)
  })

  test('O5: one active administrator remains if a user gets the role while being deactivated', async () => {
    const apps = await createApps(2, { dialect })
    for (let round = 0; round < 6; round++) {
      const [first] = await admins(apps[0]!, [`old${round}`])
      const { id } = await apps[0]!.signUp(`new${round}`)
      const fresh = await apps[0]!.admin.user(id)
      await Promise.allSettled([
        apps[0]!.admin.deactivate(fresh),
        apps[1]!.admin.giveRole(id, 'admin').then(() => apps[1]!.admin.deactivate(first!)),
      ])
      expect(await activeAdmins(apps[0]!)).toBeGreaterThan(0)
      await apps[0]!.rows.userRoles.remove()
    }
    await closeApps(apps)
  })

  test('O2, O4: users cannot make themselves administrators by what they send', () =>
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
      expect(await app.rows.userRoles.all()).toEqual([])
    }))
})
