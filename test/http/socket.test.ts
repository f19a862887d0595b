import { beforeAll, describe, expect, test } from 'bun:test'
import { createTestApp, type SignedUp } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import type { Replace } from '../support/replace.ts'
import { type Served, serve } from '../support/socket.ts'

let served: Served
const app = appPerSuite({}, () => served.stop())
let ada: SignedUp

beforeAll(async () => {
  served = serve(app)
  ada = await app.signUp()
})

const send = (method: string, target: string, { host = 'localhost', headers = '' } = {}) =>
  served.raw(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n`)
const get = (target: string, options?: { host?: string; headers?: string }) => send('GET', target, options)
const bearer = () => `Authorization: Bearer ${ada.grant.access_token}\r\n`

describe('the path', () => {
  test('D10, I6: has one spelling; every other is 404, whatever another server would make of it', async () => {
    for (const target of [
      '//users/me',
      '///users/me',
      '/users//me',
      '/users/me//',
      '/USERS/ME',
      '/Users/me',
      '/users/%6de',
      '/users/m%65',
      '/users%2fme',
      '/users%2Fme',
      '/%75sers/me',
      '/users/me;a=b',
      '/users/me%00',
      '/users/me%20',
      '/users/me.json',
      '/users/me#fragment',
      '/users/mé',
      '/api/users/me',
    ]) {
      const { status } = await get(target, { headers: bearer() })
      expect([target, status]).toEqual([target, 404])
    }
  })

  test('I6: /users/me is 401 without a token in every spelling of that path', async () => {
    for (const target of [
      '/users/me',
      '/users/me?',
      '/users/me?access_token=x',
      `/users/me?access_token=${ada.grant.access_token}`,
      `/users/me?token=${ada.grant.access_token}`,
      '/users/me?a#b',
      '/users/me?/token',
      '/users/me?://token',
      '/users/me?a%',
      'http://localhost/users/me',
      'http://elsewhere.example/users/me',
      'HTTP://ELSEWHERE.example/users/me',
      'https://user:password@elsewhere.example:9/users/me?x=/token',
    ]) {
      const { status, body } = await get(target)
      expect([target, status]).toEqual([target, 401])
      expect(body).not.toContain('ada')
    }
  })

  test('never gives the account without a token, for any target and Host', async () => {
    for (const target of ['*', 'users/me', '?', '\\users\\me', 'http:/users/me', 'ftp://x/users/me', '/a://users/me'])
      for (const host of ['localhost', '', 'x', 'a b', 'x/users/me', 'x/token?', 'x#', '[::1', 'a@b:c'])
        expect((await get(target, { host })).status).toBeWithin(400, 500)
  })

  test('I5: may be absolute; its host is ignored', async () => {
    const { status, body } = await get('http://elsewhere.example/users/me', { headers: bearer() })
    expect([status, JSON.parse(body).username]).toEqual([200, 'ada'])
  })
})

describe('the Host header', () => {
  test.each(['x', 'kw', 'localhost', '127.0.0.1:8000', '[::1]:8000', 'id.example.com.', 'LOCALHOST:08000'])(
    '%s is accepted',
    async (host) => {
      expect((await get('/users/me', { host, headers: bearer() })).status).toBe(200)
    },
  )

  test.each(['', 'a b', 'x?y', 'x#y', 'x/y', 'x\\y', 'x/users/me', 'a@b:c'])('%j is refused', async (host) => {
    const { status, headers, body } = await get('/users/me', { host, headers: bearer() })
    expect(status).toBe(400)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(JSON.parse(body).code).toBe('invalid_request')
  })

  test.each(['99999999999999999999', '1.2.3.4.5', '0x', 'a%', '256.1.1.1', 'xn--', 'a:99999', 'x, y'])(
    '%s, which Bun accepts, causes no failure of HEAD or OPTIONS',
    async (host) => {
      const { status: known } = await get('/users/me', { host })
      for (const method of ['HEAD', 'OPTIONS', 'PUT'])
        for (const path of ['/users/me', '/users/me?x=/token', '/forward-auth?role=user']) {
          const { status } = await send(method, path, { host })
          const expected = path.startsWith('/forward-auth') ? 401 : { HEAD: 401, OPTIONS: 204, PUT: 405 }[method]!
          expect([method, path, status]).toEqual([method, path, known === 400 ? 400 : expected])
        }
    },
  )

  test('12.A11 may be missing in a HEAD, whose log line then has route, code and user', async () => {
    for (const [headers, told] of [
      ['', [401, 'not_authenticated', undefined]],
      ['Authorization: Bearer x\r\n', [401, 'invalid_token', undefined]],
      [bearer(), [200, undefined, ada.id]],
    ] as const) {
      app.logs.length = 0
      const { status, body } = await served.raw(`HEAD /users/me HTTP/1.0\r\n${headers}\r\n`)
      expect([status, body]).toEqual([told[0], ''])
      const lines = app.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
      expect(lines.map(({ method, route, status, code, user_id }) => [method, route, status, code, user_id])).toEqual([
        ['HEAD', '/users/me', ...told],
      ])
    }
  })

  test('may be missing in HTTP/1.0, and is 400 in HTTP/1.1 if missing', async () => {
    const old = await served.raw(`GET /users/me HTTP/1.0\r\n${bearer()}\r\n`)
    expect([old.status, JSON.parse(old.body).username]).toEqual([200, 'ada'])
    const oldPath = await served.raw('GET /a://users/me HTTP/1.0\r\n\r\n')
    expect(oldPath.status).toBe(404)
    const bare = await served.raw('GET /users/me HTTP/1.1\r\nConnection: close\r\n\r\n')
    expect([bare.status, bare.body]).toEqual([400, ''])
  })
})

describe('other methods', () => {
  test('J5: CONNECT opens no tunnel', async () => {
    expect((await send('CONNECT', 'elsewhere.example:443')).status).toBe(404)
    expect((await send('CONNECT', '/users/me')).status).toBe(405)
  })

  test.each(['TRACE', 'PUT', 'PATCH', 'DELETE', 'POST', 'PROPFIND'])('%s is 405 with Allow', async (method) => {
    const { status, headers, body } = await send(method, '/user/user')
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
    expect(JSON.parse(body).code).toBe('method_not_allowed')
  })

  test('HEAD has the headers and the content length of GET, and no body', async () => {
    const request = ' /users/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: same\r\n'
    const [head, full] = [
      await served.raw(`HEAD${request}${bearer()}\r\n`),
      await served.raw(`GET${request}${bearer()}\r\n`),
    ]
    const date = (headers: Map<string, string>) => [...headers].filter(([name]) => name !== 'date').sort()
    expect([head.status, head.body]).toEqual([200, ''])
    expect(date(head.headers)).toEqual(date(full.headers))
    expect(head.headers.get('content-length')).toBe(String(full.body.length))
    const refused = await served.raw(`HEAD${request}\r\n`)
    expect([refused.status, refused.body]).toEqual([401, ''])
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="keyward"')
    const notAllowed = await send('HEAD', '/token')
    expect([notAllowed.status, notAllowed.headers.get('allow'), notAllowed.body]).toEqual([405, 'OPTIONS, POST', ''])
  })

  test('OPTIONS is 204 with Allow and no body', async () => {
    const { status, headers, body } = await send('OPTIONS', '/token')
    expect([status, headers.get('allow'), body]).toEqual([204, 'OPTIONS, POST', ''])
  })
})

describe('the body', () => {
  const chunks = (count: number, size = 16_384) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (count-- > 0) controller.enqueue(new Uint8Array(size).fill(0x20))
        else controller.close()
      },
    })
  const post = (path: string, body: NonNullable<RequestInit['body']>, type = 'application/json') =>
    fetch(`${served.url}${path}`, { method: 'POST', body, headers: { 'content-type': type } })

  test('is read up to 64 KiB, and is 413 with one byte more', async () => {
    await expectRefusal(await post('/register', ' '.repeat(65_536)), 'invalid_request')
    await expectRefusal(await post('/register', ' '.repeat(65_537)), 'payload_too_large')
  })

  test('K5: that is declared too large is refused before it is sent', async () => {
    const { status, body } = await served.raw(
      'POST /token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n',
    )
    expect([status, JSON.parse(body).code]).toEqual([413, 'payload_too_large'])
  })

  test('K5: in chunks is counted as it arrives', async () => {
    await expectRefusal(await post('/register', chunks(4)), 'invalid_request')
    await expectRefusal(await post('/register', chunks(5)), 'payload_too_large')
  })

  test('K5: over 1 MiB never reaches a handler, and the server goes on', async () => {
    expect((await post('/register', ' '.repeat(2 ** 20 + 1))).status).toBe(413)
    expect((await post('/register', chunks(80))).status).toBe(413)
    expect((await get('/users/me', { headers: bearer() })).status).toBe(200)
  })

  test('of another media type is 415, however large', async () => {
    await expectRefusal(await post('/register', ' '.repeat(500_000), 'text/plain'), 'unsupported_media_type')
    await expectRefusal(await post('/register', chunks(30), 'text/plain'), 'unsupported_media_type')
  })

  test('that breaks off changes nothing', async () => {
    const before = app.logs.length
    const { status } = await served
      .raw(
        'POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n\r\n',
      )
      .catch(() => ({ status: 400 }))
    expect(status).toBe(400)
    expect(app.logs.slice(before).join()).not.toContain('unhandled_error')
  })
})

describe('the client address', () => {
  /** The client that a login is counted for. */
  async function counted(trustedProxies: string, forwardedFor?: string, http10 = false): Promise<string | undefined> {
    const clients: (string | undefined)[] = []
    const passwords: Replace['passwords'] = (real) => ({
      ...real,
      verify: (password, stored, requester) => {
        clients.push(requester?.client)
        return real.verify(password, stored, requester)
      },
    })
    const other = await createTestApp({ env: { TRUSTED_PROXIES: trustedProxies }, replace: { passwords } })
    const socket = serve(other)
    const body = 'username=ada&password=x'
    await socket.raw(
      `POST /token HTTP/1.${http10 ? 0 : `1\r\nHost: localhost`}\r\nConnection: close\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n` +
        `${forwardedFor === undefined ? '' : `X-Forwarded-For: ${forwardedFor}\r\n`}\r\n${body}`,
    )
    await socket.stop()
    await other.close()
    return clients[0]
  }

  test('D3: is the peer without TRUSTED_PROXIES, and X-Forwarded-For is ignored', async () => {
    expect(await counted('', '203.0.113.9')).toBe('127.0.0.1')
    expect(await counted('10.0.0.0/8', '203.0.113.9')).toBe('127.0.0.1')
  })

  test('is the first address from the right that is not a trusted proxy', async () => {
    expect(await counted('127.0.0.1,10.0.0.0/8', '198.51.100.1, 203.0.113.9, 10.0.0.7')).toBe('203.0.113.9')
    expect(await counted('127.0.0.1')).toBe('127.0.0.1')
  })

  test('D9: counts IPv6 by its /64', async () => {
    expect(await counted('127.0.0.1', '2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
  })

  test('is known for a request without a Host too', async () => {
    expect(await counted('', undefined, true)).toBe('127.0.0.1')
  })
})
