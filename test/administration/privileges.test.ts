import { expect, test } from 'bun:test'
import { permissions } from '../../src/features/roles/permissions.ts'
import type { Route } from '../../src/http/route-table.ts'
import { MINUTE } from '../../src/lib/clock.ts'
import type { RequestOptions } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { password, person, tokenOf } from './support.ts'

/** A request that each route for administrators grants, for a user with the id `id`. */
const requests: Record<
  string,
  { path?: (id: number) => string; options?: (id: number) => RequestOptions; isInvited?: boolean; status: number }
> = {
  'GET /admin/users': { status: 200 },
  'GET /admin/users/:id': { status: 200 },
  'GET /admin/audit': { status: 200 },
  'POST /admin/users': {
    options: (id) => ({ json: { email: `new${id}@example.com`, username: `new-${id}` } }),
    status: 201,
  },
  'POST /admin/users/:id/invitation': { isInvited: true, status: 202 },
  'PATCH /admin/users/:id': { options: () => ({ json: { is_active: false } }), status: 200 },
  'DELETE /admin/users/:id': { status: 204 },
  'DELETE /admin/users/:id/sessions': { status: 204 },
  'POST /admin/users/:id/password-reset': { status: 202 },
  'PUT /admin/users/:id/roles/:role': { path: (id) => `/admin/users/${id}/roles/user`, status: 204 },
  'DELETE /admin/users/:id/roles/:role': { path: (id) => `/admin/users/${id}/roles/admin`, status: 204 },
}

describeApp('every route for administrators', { mailbox: true }, (app) => {
  const routes = () => app.table.routes.filter(({ pattern }) => pattern.startsWith('/admin/'))
  const nameOf = ({ method, pattern }: Pick<Route, 'method' | 'pattern'>) => `${method} ${pattern}`

  /** Sends the request of a route to a user of its own. */
  async function send(route: Route, username: string, token?: string) {
    const { path, options, isInvited } = requests[nameOf(route)]!
    const email = `${username}@example.com`
    const { id } = await app.admin.createUser({ email, username, ...(!isInvited && { password }) })
    const target = path?.(id) ?? route.pattern.replace(':id', String(id))
    return app.request(route.method, target, { ...options?.(id), ...(token !== undefined && { token }) })
  }

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
      const { status } = requests[nameOf(route)]!
      const sendWith = (token?: string) => send(route, `target${made++}`, token)
      await expectRefusal(await sendWith(), 'not_authenticated')
      await expectRefusal(await sendWith(former.token), 'invalid_token')
      await expectRefusal(await sendWith(`${boss.token.slice(0, -4)}AAAA`), 'invalid_token')
      await expectRefusal(await sendWith(plain.token), 'forbidden')
      for (const [permission, { token }] of single) {
        const answer = await sendWith(token)
        const expected = permission === access ? status : 403
        expect([nameOf(route), permission, answer.status]).toEqual([nameOf(route), permission, expected])
      }
      expect([nameOf(route), (await sendWith(boss.token)).status]).toEqual([nameOf(route), status])
      const others = permissions.filter((permission) => permission !== access)
      await expectRefusal(await sendWith(await key([...others])), 'forbidden')
      const withScope = await sendWith(await key([access]))
      if (route.fresh) await expectRefusal(withScope, 'forbidden')
      else expect([nameOf(route), withScope.status]).toEqual([nameOf(route), status])
    }
  })

  test('14.1 asks for a login of the last 15 minutes exactly where it changes something', async () => {
    const boss = await person(app, 'boss', 'admin')
    await app.clock.advance(16 * MINUTE)
    for (const route of routes()) {
      expect([nameOf(route), route.fresh]).toEqual([nameOf(route), route.method !== 'GET'])
      const { status } = requests[nameOf(route)]!
      const name = `other-${routes().indexOf(route)}`
      if (!route.fresh) {
        expect((await send(route, name, boss.token)).status).toBe(status)
        continue
      }
      const stale = await expectRefusal(await send(route, name, boss.token), 'reauthentication_required')
      expect(stale.status).toBe(401)
      expect((await send(route, `${name}-again`, await tokenOf(app, boss))).status).toBe(status)
    }
  })
})
