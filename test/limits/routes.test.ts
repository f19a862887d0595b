import { beforeAll, describe, expect, test } from 'bun:test'
import { limitNames } from '../../src/config/limits.ts'
import type { Route } from '../../src/http/route-table.ts'
import type { RequestOptions, SignedUp } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { limited, password } from './support.ts'

/** Bodies that count as an attempt on a route with a limit, by its name in the table. */
const attempts: Record<string, (i: number) => RequestOptions> = {
  'POST /token': () => ({ form: { username: 'ada', password: 'wrong' } }),
  'POST /user/token': () => ({ json: { username: 'ada', password: 'wrong' } }),
  'POST /register': (i) => ({ json: { email: `r${i}@example.com`, username: `reg${i}`, password } }),
  'PUT /users/me/password': () => ({ json: { current_password: 'wrong', new_password: 'another good one' } }),
}

const nameOf = ({ method, pattern }: Route) => `${method} ${pattern}`

describe('the limits of routes', () => {
  const app = appPerSuite(limited({ env: { METRICS_TOKEN: 'only-for-this-test' } }))
  let ada: SignedUp
  beforeAll(async () => {
    ada = await app.signUp('ada', password)
  })

  test('each open route names its limit or the reason why it needs none', () => {
    const open = app.table.routes.filter(({ access }) => access === 'open')
    expect(open.length).toBeGreaterThan(8)
    for (const route of open) {
      const { limit } = route
      if (typeof limit === 'object')
        expect([nameOf(route), limit.none]).toEqual([nameOf(route), expect.stringMatching(/\w+ \w+ \w+/)])
      else {
        expect([nameOf(route), limit]).toEqual([nameOf(route), expect.any(String)])
        expect(limitNames.some((name) => name.startsWith(`${limit}.`))).toBe(true)
      }
    }
  })

  test('each route that takes a password names its limit, open or not', async () => {
    const document = (await (await app.request('GET', '/openapi.json')).json()) as {
      paths: Record<string, Record<string, { requestBody?: unknown }>>
      components: unknown
    }
    const schemas = JSON.stringify(document.components)
    const takesPassword = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { requestBody }]) => {
          const text = JSON.stringify(requestBody ?? {})
          const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name)
          return /password/.test(text) || names.some((name) => new RegExp(`"${name}":\\{[^}]*password`).test(schemas))
        })
        .map(([method]) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    )
    expect(takesPassword).toContain('PUT /users/me/password')
    for (const name of takesPassword) {
      const route = app.table.routes.find((one) => nameOf(one) === name)!
      expect([name, typeof route.limit]).toEqual([name, 'string'])
    }
  })

  const guarded = ['POST /token', 'POST /user/token', 'POST /register', 'PUT /users/me/password']

  test('these tests know every route with a limit', () => {
    const named = app.table.routes.filter(({ limit }) => typeof limit === 'string')
    expect(named.map(nameOf).sort()).toEqual(guarded.toSorted())
  })

  test.each(guarded)('D8: %s answers 429 after enough attempts, and documents it', async (name) => {
    const route = app.table.routes.find((one) => nameOf(one) === name)!
    expect(route.statuses).toContain(429)
    const token = route.access === 'open' ? undefined : ada.grant.access_token
    const peer = `198.51.100.${guarded.indexOf(name)}`
    for (let i = 0; ; i++) {
      const response = await app.request(route.method, route.pattern, { ...attempts[name]!(i), token, peer })
      if (response.status !== 429) {
        expect(i).toBeLessThan(50)
        continue
      }
      await expectRefusal(response, 'rate_limited')
      const limit = response.headers.get('ratelimit')!
      expect(limit).toMatch(new RegExp(`^"${route.limit}\\.[a-z_]+";r=0;t=\\d+$`))
      expect(limit).toEndWith(`t=${response.headers.get('retry-after')}`)
      expect(response.headers.get('ratelimit-policy')).toMatch(/^"[a-z_.]+";q=\d+;w=\d+$/)
      return
    }
  })

  test('a route without a limit answers a hundred requests a second', async () => {
    for (const route of app.table.routes.filter(({ limit }) => typeof limit === 'object')) {
      const path = route.pattern.replace(':file', 'none.js')
      const options: RequestOptions =
        route.method === 'GET' ? {} : path === '/revoke' ? { form: { token: 'x' } } : { json: { refresh_token: 'x' } }
      for (let i = 0; i < 100; i++)
        expect([200, 401, 404]).toContain((await app.request(route.method, path, options)).status)
    }
  })
})
