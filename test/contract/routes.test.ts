import { beforeAll, describe, expect, test } from 'bun:test'
import type { Route } from '../../src/http/route-table.ts'
import type { RequestOptions, SignedUp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { type Served, serve } from '../support/socket.ts'

/** Every route that the service has. */
const sourceServices = [
  ['POST', '/register', 'open'],
  ['POST', '/token', 'open'],
  ['GET', '/users/me', 'user'],
  ['POST', '/user/token', 'open'],
  ['GET', '/user/user', 'existing-user'],
] as const

const bodyMethods = ['POST', 'PUT', 'PATCH']
const pathOf = ({ pattern }: Route) => pattern.replace(/:\w+/g, '1')

describeEachDialect('every route', (dialect) => {
  let served: Served
  const app = appPerSuite({ dialect, mailbox: true, env: { EMAIL_LOGIN: 'on' } }, () => served.stop())
  let ada: SignedUp
  beforeAll(async () => {
    ada = await app.signUp()
    served = serve(app)
  })

  const send = (route: Route, options: RequestOptions = {}) => app.request(route.method, pathOf(route), options)
  const loggedIn = async (): Promise<SignedUp> => {
    const { username, password } = ada
    const response = await app.request('POST', '/token', { form: { username, password } })
    return { ...ada, grant: (await response.json()) as SignedUp['grant'] }
  }
  const guarded = () => app.table.routes.filter(({ access }) => access !== 'open')
  /** A user who still exists: the test deletes the account too. */
  const someone = async (): Promise<SignedUp> => {
    const exists = (await app.rows.users.count({ id: ada.id })) > 0
    return exists ? loggedIn() : app.signUp(`ada${Bun.nanoseconds()}`)
  }
  const takesMultipart = ['/token', '/user/token']
  /** Pages answer refusals as HTML; they have tests of their own. */
  const openWithBody = () =>
    app.table.routes.filter(
      ({ access, method, page, pattern }) =>
        access === 'open' && !page && bodyMethods.includes(method) && pattern !== withoutAnything,
    )
  /** Reads no body and no database. */
  const withoutAnything = '/passkeys/options'

  test('of the FastAPI services exists, with its access', () => {
    for (const [method, path, access] of sourceServices)
      expect(app.table.find(method, path)).toMatchObject({ method, pattern: path, access })
  })

  test('has a declared access and a unique name', () => {
    const names = app.table.routes.map(({ method, pattern }) => `${method} ${pattern}`)
    expect(new Set(names).size).toBe(names.length)
    for (const { access } of app.table.routes) expect(access).toMatch(/^[a-z][a-z:-]*$/)
  })

  test('declares a success, 500, and the refusals of its access', () => {
    for (const { method, pattern, access, statuses } of app.table.routes) {
      const route = `${method} ${pattern}`
      expect([route, statuses.some((status) => status < 400)]).toEqual([route, true])
      for (const status of [
        500,
        ...(access === 'open' ? [] : [401]),
        ...(access !== 'open' || (method !== 'GET' && pattern !== withoutAnything) ? [503] : []),
      ])
        expect([route, statuses]).toEqual([route, expect.arrayContaining([status])])
    }
  })

  test('O1: that is guarded is 401 without a credential, before the body is read', async () => {
    const junk = Buffer.alloc(2 ** 20, 0xff)
    for (const route of guarded()) {
      const withBody = route.method === 'GET' ? {} : { body: junk, type: 'image/png' }
      const response = await send(route, withBody)
      expect([route.pattern, response.status]).toEqual([route.pattern, 401])
      await expectRefusal(response, 'not_authenticated')
      await expectRefusal(await send(route, { ...withBody, token: 'x.y.z' }), 'invalid_token')
    }
  })

  test('that is guarded is 401 without a credential for any parameter, and 404 for another spelling of the path', async () => {
    const named = guarded().filter(({ pattern }) => pattern.includes(':'))
    expect(named.length).toBeGreaterThan(0)
    for (const { method, pattern } of named) {
      const ask = (value: string) => app.request(method, pattern.replace(/:\w+/g, value))
      for (const value of ['user@example.com', 'a+b', "it's", '(1)', '!$&*,;=', '-', '.x', '~:~'])
        await expectRefusal(await ask(value), 'not_authenticated')
      for (const value of ['user%40example.com', 'a%20b', '%00', 'a//'])
        await expectRefusal(await ask(value), 'not_found')
    }
  })

  test('answers the same over a socket while the body is still being sent', async () => {
    for (const route of guarded()) {
      const { status } = await served.raw(
        `${route.method} ${pathOf(route)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\n` +
          `Content-Length: 1000000\r\n\r\n${'\xff'.repeat(50_000)}`,
      )
      expect([route.pattern, status]).toEqual([route.pattern, 401])
    }
  })

  describe('that is open and has a body', () => {
    test('I3: accepts only the declared media types', async () => {
      for (const route of openWithBody())
        for (const type of [
          'text/plain',
          'text/json',
          'application/problem+json',
          ...(takesMultipart.includes(route.pattern) ? [] : ['multipart/form-data; boundary=x']),
          'application/json; charset=utf-16',
          'application/json, application/json',
          'application/octet-stream',
          '*/*',
          '',
        ])
          await expectRefusal(await send(route, { body: '{}', type }), 'unsupported_media_type')
    })

    test('refuses a body without a content type and a compressed body', async () => {
      for (const route of openWithBody()) {
        const bare = new Request(`http://localhost:8000${pathOf(route)}`, { method: route.method })
        await expectRefusal(await app.fetch(bare), 'unsupported_media_type')
        const zipped = await send(route, { ...malformed, headers: { 'content-encoding': 'gzip' } })
        await expectRefusal(zipped, 'unsupported_media_type')
      }
    })

    /** Whether the route accepts JSON; the others accept forms. */
    const readsJson = async (route: Route) => (await send(route, { json: {} })).status !== 415
    const malformed: RequestOptions = { body: '{', type: 'application/json' }

    test('B8, K5: refuses a body over 64 KiB', async () => {
      for (const route of openWithBody()) {
        const type = (await readsJson(route)) ? 'application/json' : 'application/x-www-form-urlencoded'
        await expectRefusal(await send(route, { body: ' '.repeat(65_537), type }), 'payload_too_large')
      }
    })

    test('K4: refuses malformed text with 400', async () => {
      for (const route of openWithBody()) {
        const bad = (await readsJson(route)) ? malformed : { form: 'a=1&a=2' }
        await expectRefusal(await send(route, bad), 'invalid_request')
      }
    })

    test('refuses an empty object with 422, or 400 on OAuth routes', async () => {
      for (const route of openWithBody()) {
        const response = await send(route, (await readsJson(route)) ? { json: {} } : { form: '' })
        // A client is authenticated before its request is read.
        if (route.pattern === '/device_authorization') {
          await expectRefusal(response, 'invalid_client')
          continue
        }
        const problem = await (route.oauth
          ? expectRefusal(response, 'invalid_request')
          : expectRefusal(response, 'validation_failed'))
        expect(problem.errors?.length).toBeGreaterThan(0)
        expect('error' in problem).toBe(route.oauth)
      }
    })

    test('refuses JSON that is not an object', async () => {
      for (const route of openWithBody())
        if (await readsJson(route))
          for (const body of ['[]', '[{}]', 'null', 'true', '1', '"{}"', '""']) {
            const response = await send(route, { body, type: 'application/json' })
            const code = route.oauth ? 'invalid_request' : 'validation_failed'
            expect([body, (await expectRefusal(response, code)).errors?.[0]?.field]).toEqual([body, 'body'])
          }
    })
  })

  test('changes nothing in the database when it refuses', async () => {
    expect([await app.rows.users.count(), await app.rows.sessions.count()]).toEqual([1, 1])
  })

  test('answers no 5xx to unusual parameters in path or query', async () => {
    const odd = [
      '%00',
      '%',
      '%zz',
      '%ff',
      '%ed%a0%80',
      '0',
      '-1',
      '1e400',
      '9'.repeat(400),
      '..%2f',
      "'",
      '%f0%9f%a6%84',
      'x'.repeat(3_000),
    ]
    for (const { method, pattern } of app.table.routes)
      for (const value of odd) {
        const path = pattern.replace(/:\w+/g, value)
        // An invalid credential gets through on open routes only; a valid one is needed for the others.
        for (const token of ['x.y.z', ada.grant.access_token]) {
          const body = bodyMethods.includes(method) ? { json: {} } : {}
          const { status } = await app.request(method, `${path}?except=${value}&role=${value}&a=1&a=2`, {
            ...body,
            token,
          })
          expect([method, path, status < 500]).toEqual([method, path, true])
        }
        if (method === 'DELETE' || /logout|delete/.test(pattern)) ada = await someone()
      }
    expect(app.logs.join('')).not.toContain('unhandled_error')
  })
})
