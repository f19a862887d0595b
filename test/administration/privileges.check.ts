import { expect, test } from 'bun:test'
import { permissions } from '../../src/features/roles/permissions.ts'
import type { TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { everyCaller } from './callers.ts'
import { type AdminRoute, adminRoutes, requestFor, spareRole } from './routes.ts'
import { type Person, person } from './support.ts'

describeApp('every route for administrators', { mailbox: true }, (app) => {
  test('O1, O2, O3: 14.1 answers every kind of caller as /openapi.json declares, and a refusal changes nothing', async () => {
    await app.rows.roles.add({ name: spareRole, description: '', permissions: '', createdAt: 0 })
    const callers = await everyCaller(app)
    const routes = await adminRoutes(app)
    const served = app.table.routes.filter(({ pattern }) => pattern.startsWith('/admin/'))
    expect(routes.map(({ name }) => name).sort()).toEqual(served.map(nameInDocument).sort())
    // A permission exists only with a route that asks for it.
    const asked = new Set([...app.table.routes.map(({ access }) => access as string)])
    expect(permissions.filter((word) => !asked.has(word))).toEqual([])

    for (const route of routes) {
      expect([route.name, route.isFresh]).toEqual([route.name, route.method !== 'GET'])
      const { target, options } = await requestFor(app, route)
      const before = await everyRow(app)
      const seen = new Set<string>()
      for (const { kind, token, refusal, isLate } of callers) {
        const code = refusal(route)
        if (code === undefined) continue
        const by = token !== undefined && { token }
        const answer = await app.request(route.method, target, { ...options, ...by })
        const got = [route.name, kind, await codeOf(answer), ...(await complaintsAbout(route, answer))]
        expect(got).toEqual([route.name, kind, code])
        if (!seen.has(code)) await expectRefusal(answer, code)
        seen.add(code)
        if (isLate || route.method === 'GET') continue
        // The credential and the right are judged before the body.
        const unread = await app.request(route.method, target, { body: '{', type: 'text/plain', ...by })
        expect([route.name, kind, await codeOf(unread)]).toEqual([route.name, kind, code])
      }
      expect([route.name, await everyRow(app)]).toEqual([route.name, before])

      for (const { kind, token, refusal } of callers) {
        if (refusal(route) !== undefined) continue
        const { target: own, options: given } = await requestFor(app, route)
        const answer = await app.request(route.method, own, { ...given, token: token! })
        expect([route.name, kind, answer.status]).toEqual([route.name, kind, route.success])
        expect([route.name, kind, await complaintsAbout(route, answer)]).toEqual([route.name, kind, []])
      }
    }
  })

  test('O2: 14.1 no route changes a user who has a permission that the caller does not have', async () => {
    await app.rows.roles.add({ name: spareRole, description: '', permissions: '', createdAt: 0 })
    const boss = await person(app, 'boss', 'admin')
    const idle = await person(app, 'idle', 'admin')
    await app.admin.deactivate(idle.id)
    const routes = (await adminRoutes(app)).filter((route) => route.isFresh && route.path.startsWith(onUser))
    expect(routes.length).toBeGreaterThan(4)
    for (const word of new Set(routes.map(({ permission }) => permission))) {
      const name = word.replace(':', '-')
      const writer = await person(app, `only-${name}`, word)
      const other = permissions.find((one) => one !== word)!
      const strong = [
        boss,
        idle,
        await person(app, `not-${name}`, other),
        await person(app, `more-${name}`, `${word} ${other}`),
      ]
      // All permissions of today are less than the role `admin`.
      const almost = await person(app, `almost-${name}`, permissions.join(' '))
      // The first use of a token is recorded.
      for (const { token } of [writer, almost]) await app.request('GET', '/users/me', { token })
      const before = await everyRow(app)
      for (const route of routes.filter(({ permission }) => permission === word)) {
        const send = async ({ token }: Person, { id }: Person) => {
          const { target, options } = await requestFor(app, route, { [onUser]: String(id), [ofFactor]: 't1' })
          return app.request(route.method, target, { ...options, token })
        }
        for (const [by, of] of [...strong.map((one) => [writer, one] as const), [almost, boss] as const]) {
          const answer = await send(by, of)
          expect([route.name, of.username, await codeOf(answer)]).toEqual([route.name, of.username, 'forbidden'])
        }
      }
      expect([word, await everyRow(app)]).toEqual([word, before])
      for (const [at, route] of routes.filter(({ permission }) => permission === word).entries()) {
        const equal = await person(app, `equal${at}-${name}`)
        await app.admin.giveRole(equal.id, `role-of-${writer.username}`)
        if (route.path.endsWith('/invitation')) await app.rows.users.change({ id: equal.id }, { invitedAt: 1 })
        const factor = route.path.includes('/factor') ? `t${(await app.factors.addApp(equal.id)).id}` : ''
        const { target, options } = await requestFor(app, route, { [onUser]: String(equal.id), [ofFactor]: factor })
        const answer = await app.request(route.method, target, { ...options, token: writer.token })
        expect([route.name, answer.status]).toEqual([route.name, route.success])
      }
    }
  })
})

const onUser = '/admin/users/{id}'
const ofFactor = `${onUser}/factors/{fid}`

const nameInDocument = ({ method, pattern }: { method: string; pattern: string }) =>
  `${method} ${pattern.replace(/:(\w+)/g, '{$1}')}`

/** The code of a refusal; the status of any other answer. */
async function codeOf(answer: Response): Promise<string | number> {
  if (answer.status < 400) return answer.status
  return ((await answer.clone().json()) as { code: string }).code
}

/** What in an answer differs from what the document declares for the route. */
async function complaintsAbout({ answers }: AdminRoute, answer: Response): Promise<string[]> {
  const declared = answers.get(answer.status)
  if (!declared) return [`${answer.status} is not declared`]
  const text = await answer.clone().text()
  if (declared.type === undefined) return text === '' ? [] : ['has a body']
  const body: unknown = JSON.parse(text)
  const code = answer.status < 400 ? undefined : (body as { code: string }).code
  const isKnown = code === undefined || declared.codes.includes(code)
  return [...declared.complaints(body), ...(isKnown ? [] : [`the code ${code} is not declared`])]
}

/** Everything that is stored. */
async function everyRow(app: TestApp): Promise<Record<string, object[]>> {
  const tables = Object.entries(app.rows)
  return Object.fromEntries(await Promise.all(tables.map(async ([name, rows]) => [name, await rows.all()] as const)))
}
