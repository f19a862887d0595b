import { expect, test } from 'bun:test'
import { permissions } from '../../src/features/roles/permissions.ts'
import { MINUTE } from '../../src/lib/clock.ts'
import type { RequestOptions } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { person, tokenOf } from './support.ts'

/** A request that each route for administrators grants, for a user with the id `id`. */
const requests: Record<string, { path?: (id: number) => string; options?: RequestOptions; status: number }> = {
  'GET /admin/users': { status: 200 },
  'GET /admin/users/:id': { status: 200 },
  'GET /admin/audit': { status: 200 },
  'PATCH /admin/users/:id': { options: { json: { is_active: false } }, status: 200 },
  'DELETE /admin/users/:id': { status: 204 },
  'DELETE /admin/users/:id/sessions': { status: 204 },
  'POST /admin/users/:id/password-reset': { status: 202 },
  'PUT /admin/users/:id/roles/:role': { path: (id) => `/admin/users/${id}/roles/user`, status: 204 },
  'DELETE /admin/users/:id/roles/:role': { path: (id) => `/admin/users/${id}/roles/admin`, status: 204 },
}

describeApp('every route for administrators', { mailbox: true }, (app) => {
  const routes = () => app.table.routes.filter(({ pattern }) => pattern.startsWith('/admin/'))
  const nameOf = ({ method, pattern }: { method: string; pattern: string }) => `${method} ${pattern}`

  test('O1, O2: 14.1 answers every kind of caller by the permission that the route asks for', async () => {
    expect(routes().map(nameOf).sort()).toEqual(Object.keys(requests).sort())
    const boss = await person(app, 'boss', 'admin')
    const plain = await person(app, 'plain')
    const former = await person(app, 'former', 'admin')
    await app.admin.deactivate(former.id)
    const single = new Map<string, Awaited<ReturnType<typeof person>>>()
    for (const permission of permissions)
      single.set(permission, await person(app, permission.replace(':', '-'), permission))
    const key = async (scopes: string[]) => (await app.admin.createApiKey({ owner: boss.id, scopes })).text
    let made = 0
    for (const route of routes()) {
      const { access } = route
      const { path, options, status } = requests[nameOf(route)]!
      const send = async (token: string | undefined) => {
        const { id } = await app.signUp(`target${made++}`)
        const target = path?.(id) ?? route.pattern.replace(':id', String(id))
        return app.request(route.method, target, { ...options, ...(token !== undefined && { token }) })
      }
      await expectRefusal(await send(undefined), 'not_authenticated')
      await expectRefusal(await send(former.token), 'invalid_token')
      await expectRefusal(await send(`${boss.token.slice(0, -4)}AAAA`), 'invalid_token')
      await expectRefusal(await send(plain.token), 'forbidden')
      for (const [permission, { token }] of single) {
        const answer = await send(token)
        const expected = permission === access ? status : 403
        expect([nameOf(route), permission, answer.status]).toEqual([nameOf(route), permission, expected])
      }
      expect([nameOf(route), (await send(boss.token)).status]).toEqual([nameOf(route), status])
      const others = permissions.filter((permission) => permission !== access)
      await expectRefusal(await send(await key([...others])), 'forbidden')
      const withScope = await send(await key([access]))
      if (route.fresh) await expectRefusal(withScope, 'forbidden')
      else expect([nameOf(route), withScope.status]).toEqual([nameOf(route), status])
    }
  })

  test('14.1 asks for a login of the last 15 minutes exactly where it changes something', async () => {
    const boss = await person(app, 'boss', 'admin')
    await app.clock.advance(16 * MINUTE)
    for (const route of routes()) {
      expect([nameOf(route), route.fresh]).toEqual([nameOf(route), route.method !== 'GET'])
      const { path, options, status } = requests[nameOf(route)]!
      const { id } = await app.signUp(`other-${routes().indexOf(route)}`)
      const target = path?.(id) ?? route.pattern.replace(':id', String(id))
      const send = (token: string) => app.request(route.method, target, { ...options, token })
      if (!route.fresh) {
        expect((await send(boss.token)).status).toBe(status)
        continue
      }
      const stale = await expectRefusal(await send(boss.token), 'reauthentication_required')
      expect(stale.status).toBe(401)
      expect((await send(await tokenOf(app, boss))).status).toBe(status)
    }
  })
})
