import { expect, test } from 'bun:test'
import { permissions } from '../../src/features/roles/permissions.ts'
import type { TestApp } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { everyCaller } from './callers.ts'
import { type AdminRoute, adminRoutes, requestFor, spareRole } from './routes.ts'

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
      for (const { kind, token, refusal, isLate } of callers) {
        const code = refusal(route)
        if (code === undefined) continue
        const by = token !== undefined && { token }
        const answer = await app.request(route.method, target, { ...options, ...by })
        expect([route.name, kind, await codeOf(answer)]).toEqual([route.name, kind, code])
        expect([route.name, kind, await complaintsAbout(route, answer)]).toEqual([route.name, kind, []])
        await expectRefusal(answer, code)
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
})

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
