import { beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, type SignedUp } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
import { rawTo, type Served, serve } from '../support/socket.ts'

const listed = 'https://app.example.com'
let served: Served
const app = appPerSuite({ env: { CORS_ORIGINS: listed } }, () => served.stop())
let ada: SignedUp

beforeAll(async () => {
  served = serve(app)
  ada = await app.signUp()
})

/**
 * The check request of Envoy's `ext_authz` HTTP service, byte by byte: the client's method, `path_prefix` and the
 * client's target, the Host of the client, a content length of 0, and what Envoy adds to a request of its own.
 */
const envoyAsks = (method: string, target: string, { token, more = '' }: { token?: string; more?: string } = {}) =>
  `${method} /forward-auth${target} HTTP/1.1\r\n` +
  `host: shop.example.com\r\ncontent-length: 0\r\n` +
  (token === undefined ? '' : `authorization: Bearer ${token}\r\n`) +
  `x-envoy-internal: true\r\nx-forwarded-for: 10.0.0.7\r\nx-envoy-expected-rq-timeout-ms: 2000\r\n${more}connection: close\r\n\r\n`

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL', 'REPORT']
const targets = [
  '/',
  '/orders',
  '/orders/',
  '/orders//',
  '//',
  '//orders',
  '/../users/me',
  '/../../token/',
  '/..',
  '/%2e%2e/metrics',
  '/x\\..\\..\\users\\me',
  '/a;b=c/d',
  '/%',
  '/%zz/%00/%ff',
  '/orders?role=nobody',
  '/orders?role=a&role=b&%',
  '/?permission=nothing&token=1',
  '/a/b/c/d/e/f/g/h/i/j/k',
  '/users/me',
  '/token',
  '/é',
]

describe('the requests of Envoy ext_authz', () => {
  test('12.B4 are allowed with the credential of a live session, whatever method, path and query', async () => {
    for (const method of methods)
      for (const target of targets) {
        const { status, headers, body } = await served.raw(envoyAsks(method, target, { token: ada.grant.access_token }))
        expect([method, target, status, body]).toEqual([method, target, 200, ''])
        expect(headers.get('x-auth-request-user')).toBe(String(ada.id))
        expect(headers.get('x-auth-request-groups')).toBe('user')
      }
  })

  test('12.B4 are 401 without a credential, preflights too, with no CORS, Allow or Location', async () => {
    const preflight = `origin: ${listed}\r\naccess-control-request-method: POST\r\n`
    for (const token of [undefined, 'x', ada.grant.refresh_token])
      for (const method of methods)
        for (const target of ['', '?role=user', ...targets]) {
          const { status, headers } = await served.raw(envoyAsks(method, target, { token, more: preflight }))
          expect([method, target, status]).toEqual([method, target, 401])
          expect([...headers.keys()].filter((name) => /^access-control|^allow$|^location$|^vary$/.test(name))).toEqual(
            [],
          )
        }
  })

  test('12.B4 without a path below have conditions, with every method', async () => {
    for (const method of methods)
      for (const [query, expected] of [
        ['', 200],
        ['?role=user', 200],
        ['?role=admin', 403],
        ['?x=1', 403],
      ] as const) {
        const { status } = await served.raw(envoyAsks(method, query, { token: ada.grant.access_token }))
        expect([method, query, status]).toEqual([method, query, expected])
      }
  })

  test('12.B4 are answered before and without their body', async () => {
    for (const target of ['', '/orders'])
      for (const token of [ada.grant.access_token, undefined]) {
        const { status } = await served.raw(
          `POST /forward-auth${target} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Type: image/png\r\n` +
            `${token ? `Authorization: Bearer ${token}\r\n` : ''}Content-Length: 1000000\r\n\r\n${'\xff'.repeat(50_000)}`,
        )
        expect([target, status]).toEqual([target, token ? 200 : 401])
      }
  })

  test('12.B4 carry nothing to other routes, and no other path is taken for one below', async () => {
    const strange = [
      '/forward-authx',
      '/x/../forward-auth/orders',
      '/x\\..\\forward-auth/orders',
      '//forward-auth/orders',
    ]
    for (const target of strange)
      expect([
        target,
        (
          await served.raw(
            `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${ada.grant.access_token}\r\n\r\n`,
          )
        ).status,
      ]).toEqual([target, 404])
  })

  test('12.B4 are logged with their method, the pattern of the route and the user', async () => {
    const own = await createTestApp()
    const running = serve(own)
    const bea = await own.signUp('bea')
    own.logs.length = 0
    await rawTo(
      Number(new URL(running.url).port),
      envoyAsks('DELETE', '/private-7/?secret=1', { token: bea.grant.access_token }),
    )
    const line = JSON.parse(own.logs.find((text) => text.includes('"request"'))!)
    expect(line).toMatchObject({ method: 'DELETE', route: '/forward-auth', status: 200, user_id: bea.id })
    expect(own.logs.join('')).not.toContain('private-7')
    await running.stop()
    await own.close()
  })
})
