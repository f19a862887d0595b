import { beforeAll, describe, expect, test } from 'bun:test'
import type { SignedUp } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
import { type RawAnswer, type Served, serve } from '../support/socket.ts'

const listed = 'https://app.example.com'
let served: Served
const app = appPerSuite({ env: { CORS_ORIGINS: listed } }, () => served.stop())
let ada: SignedUp

beforeAll(async () => {
  served = serve(app)
  ada = await app.signUp()
})

const send = (method: string, target: string, headers = ''): Promise<RawAnswer> =>
  served.raw(
    `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
      `Authorization: Bearer ${ada.grant.access_token}\r\n${headers}\r\n`,
  )

describe('a target that the URL parser changes', () => {
  /** Spellings that the URL parser turns into the path itself. */
  const spellings = (path: string) => [
    `/x/..${path}`,
    `/x/y/../..${path}`,
    `/docs/%2e%2e${path}`,
    `/docs/.%2E${path}`,
    `/docs/%2e.${path}`,
    `/.${path}`,
    `/%2e${path}`,
    `/..${path}`,
    `/x\\..${path}`,
    `/x\\..\\${path.slice(1)}`,
    `/x\\%2e%2e\\${path.slice(1)}`,
    `/./${path.slice(1)}/.`,
    `${path}/.`,
    `${path}/x/..`,
    `${path}/%2e`,
    `${path}\\.`,
    `http://elsewhere.example/x/..${path}`,
    `http://elsewhere.example/x\\..${path}`,
  ]

  test('12.A5 is 404 whichever route it would reach, with every method', async () => {
    const paths = new Set(app.table.routes.map(({ pattern }) => pattern.replace(/:\w+/g, '1')))
    for (const path of paths)
      for (const target of spellings(path))
        for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD', 'DELETE']) {
          // Below this path everything belongs to the caller.
          if (target.startsWith('/forward-auth/')) continue
          const { status } = await send(method, target)
          expect([method, target, status]).toEqual([method, target, 404])
        }
  }, 60_000)

  test('12.A5 is 404 where a parameter of the route holds it', async () => {
    for (const segment of ['..', '.', '%2e%2e', 'x\\..\\y', 'x\\y', '\\', 'a%2fb']) {
      const { status } = await send('DELETE', `/users/me/sessions/${segment}`)
      expect([segment, status]).toEqual([segment, 404])
    }
  })

  test('12.A5 is 404 without a Host header and with one that Bun does not parse', async () => {
    for (const head of ['HTTP/1.0\r\n', 'HTTP/1.1\r\nHost: x:99999\r\nConnection: close\r\n'])
      for (const target of ['/x/../livez', '/x\\..\\livez', '/%2e/livez', '/livez/.']) {
        const { status } = await served.raw(`GET ${target} ${head}\r\n`)
        expect([target, status]).toEqual([target, 404])
      }
  })

  test('12.A5 leaves the query and the absolute form alone', async () => {
    for (const target of [
      '/users/me?a=/x/../y',
      '/users/me?\\..\\',
      '/users/me?%2e%2e/',
      'http://elsewhere.example/users/me',
    ])
      expect([target, (await send('GET', target)).status]).toEqual([target, 200])
  })
})

describe('one slash too many', () => {
  test('12.B2 is 307 to the path without it, for every route and method but OPTIONS, before the body is read', async () => {
    for (const { pattern, page } of app.table.routes) {
      const path = pattern.replace(/:\w+/g, '1')
      if (path.endsWith('/') || path === '/forward-auth' || app.table.allowed(`${path}/`).length > 0) continue
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const { status, headers, body } = await send(
          method,
          `${path}/?a=b&c=%20/`,
          `Origin: ${listed}\r\nContent-Length: 1000000\r\nContent-Type: image/png\r\n`,
        )
        const location = headers.get('location')!
        expect([path, method, status, body]).toEqual([path, method, 307, ''])
        expect(location).toBe(`../${path.slice(path.lastIndexOf('/') + 1)}?a=b&c=%20/`)
        expect(new URL(location, `http://localhost${path}/`).pathname).toBe(path)
        expect(new URL(location, `http://localhost/auth${path}/`).pathname).toBe(`/auth${path}`)
        const allowed = path.startsWith('/.well-known/') ? '*' : listed
        expect(headers.get('access-control-allow-origin')).toBe(page ? undefined : allowed)
        expect(headers.get('x-request-id')).toBeString()
      }
    }
  })

  test('12.B2 a client that follows it logs in', async () => {
    const answer = await fetch(`${served.url}/token/`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ada', password: ada.password }),
    })
    expect([answer.status, answer.url]).toEqual([200, `${served.url}/token`])
  })

  test('12.B2 OPTIONS answers as for the path without the slash', async () => {
    for (const headers of ['', `Origin: ${listed}\r\nAccess-Control-Request-Method: POST\r\n`]) {
      const [slash, plain] = [await send('OPTIONS', '/token/', headers), await send('OPTIONS', '/token', headers)]
      const told = ({ status, headers }: RawAnswer) => [
        status,
        [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id').sort(),
      ]
      expect(told(slash)).toEqual(told(plain))
    }
  })

  test('12.B2 two slashes, and a slash behind a path without routes, stay 404', async () => {
    for (const target of ['/token//', '//token/', '//', '/nope/', '/users/', '/users//me/', '/token/%2f', '/%2ftoken/'])
      expect([target, (await send('POST', target)).status]).toEqual([target, 404])
  })
})
