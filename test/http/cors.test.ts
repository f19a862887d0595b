import { describe, expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../support/app.ts'
import { appPerSuite, appsPerTest } from '../support/hooks.ts'
import { expectCommonHeaders } from '../support/refusal.ts'

const listed = 'https://app.example.com'
const exposed = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, Location, WWW-Authenticate'
const app = appPerSuite({ env: { CORS_ORIGINS: `${listed},http://localhost:3000` } })

const corsHeaders = ({ headers }: Response) => [...headers].filter(([name]) => name.startsWith('access-control-'))

describe('CORS', () => {
  test('J1: a listed origin may read every answer, without credentials', async () => {
    const answers = [
      await app.request('GET', '/users/me', { headers: { origin: listed } }),
      await app.request('GET', '/nope', { headers: { origin: listed } }),
      await app.request('DELETE', '/token', { headers: { origin: listed } }),
      await app.request('POST', '/register', { json: {}, headers: { origin: listed } }),
    ]
    for (const response of answers) {
      expect(Object.fromEntries(corsHeaders(response))).toEqual({
        'access-control-allow-origin': listed,
        'access-control-expose-headers': exposed,
      })
      expect(response.headers.get('vary')).toBe('Origin')
    }
  })

  test('J1: the comparison is exact, and other origins get no header', async () => {
    for (const origin of [
      'https://app.example.com.evil.example',
      'https://evil-app.example.com',
      'https://sub.app.example.com',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://app.example.com/',
      'HTTPS://APP.EXAMPLE.COM',
      'null',
      '*',
      '',
    ]) {
      const response = await app.request('GET', '/users/me', { headers: { origin } })
      expect([origin, corsHeaders(response)]).toEqual([origin, []])
      expect(response.headers.get('vary')).toBe('Origin')
    }
  })

  const preflight = (origin: string, path = '/token') =>
    app.request('OPTIONS', path, { headers: { origin, 'access-control-request-method': 'POST' } })

  test('a preflight of a listed origin gets methods and headers', async () => {
    const response = await preflight('http://localhost:3000')
    expect(response.status).toBe(204)
    expect(Object.fromEntries(corsHeaders(response))).toEqual({
      'access-control-allow-origin': 'http://localhost:3000',
      'access-control-allow-methods': 'OPTIONS, POST',
      'access-control-allow-headers': 'Authorization, Content-Type, X-Request-Id',
      'access-control-max-age': '600',
      'access-control-expose-headers': exposed,
    })
    expectCommonHeaders(response)
  })

  test('a preflight of another origin is an ordinary OPTIONS', async () => {
    const response = await preflight('https://evil.example')
    expect([response.status, response.headers.get('allow'), corsHeaders(response)]).toEqual([204, 'OPTIONS, POST', []])
    expect((await preflight(listed, '/nope')).status).toBe(404)
  })

  const granted = async (requested: string): Promise<string> => {
    const headers = {
      origin: listed,
      'access-control-request-method': 'POST',
      'access-control-request-headers': requested,
    }
    const response = await app.request('OPTIONS', '/token', { headers })
    expect(response.status).toBe(204)
    return response.headers.get('access-control-allow-headers')!
  }

  test('12.B8 M2: a preflight grants the headers that it names, each once, beside those that Keyward reads', async () => {
    expect(await granted('authorization,sentry-trace, traceparent ,X-Requested-With,traceparent')).toBe(
      'Authorization, Content-Type, X-Request-Id, sentry-trace, traceparent, X-Requested-With',
    )
    expect(await granted('')).toBe('Authorization, Content-Type, X-Request-Id')
  })

  test('12.B8 M2: a preflight grants valid header names only', async () => {
    expect(await granted('*, a b, x:y, <b>, "x", x-\u00e9, x(y), ,;, x-fine')).toBe(
      'Authorization, Content-Type, X-Request-Id, x-fine',
    )
  })

  test('12.B8 M2: a preflight grants at most 32 headers, in at most 1 KiB', async () => {
    const many = await granted(Array.from({ length: 100 }, (_, at) => `x-${at}`).join(','))
    expect(many.split(', ')).toHaveLength(32)
    expect(many).toEndWith(', x-28')
    const long = (letter: string) => `x-${letter.repeat(298)}`
    expect((await granted(['a', 'b', 'c', 'd', 'e'].map(long).join(','))).length).toBeLessThanOrEqual(1024)
    expect(await granted(['a', 'b', 'c', 'd'].map(long).join(','))).toEndWith(`, ${long('c')}`)
    expect(await granted(`x-${'a'.repeat(2000)},x-fine`)).toBe('Authorization, Content-Type, X-Request-Id')
  })

  test('without a list no origin gets a header', async () => {
    const closed = await createTestApp()
    for (const origin of [listed, 'null', '*', 'http://localhost:8000'])
      for (const method of ['GET', 'OPTIONS']) {
        const response = await closed.request(method, '/users/me', {
          headers: { origin, 'access-control-request-method': 'GET' },
        })
        expect(corsHeaders(response)).toEqual([])
        expect(response.headers.has('vary')).toBe(false)
      }
    await closed.close()
  })
})

describe('12.D6: an origin that is not in CORS_ORIGINS', () => {
  const apps = appsPerTest()
  const named = ({ logs }: TestApp) =>
    logs
      .map((line) => JSON.parse(line) as Record<string, string>)
      .filter(({ event }) => event === 'origin_not_listed')
      .map(({ level, origin, hint }) => [level, origin, /CORS_ORIGINS=\S*/.exec(hint!)![0]])
  const call = (app: TestApp, origin: string, method = 'GET', headers = {}) =>
    app.request(method, '/users/me', { headers: { origin, ...headers } })

  test('is named in the log once, with the line to set', async () => {
    const app = await apps.open()
    for (const method of ['OPTIONS', 'GET', 'POST']) await call(app, 'http://localhost:5173', method)
    expect(named(app)).toEqual([['warn', 'http://localhost:5173', 'CORS_ORIGINS=http://localhost:5173']])
    await call(app, 'https://other.example')
    expect(named(app)).toHaveLength(2)
  })

  test('is added to the origins that are set', async () => {
    const app = await apps.open({ env: { CORS_ORIGINS: `${listed},http://localhost:3000` } })
    await call(app, listed)
    await call(app, 'https://new.example')
    expect(named(app)).toEqual([
      ['warn', 'https://new.example', `CORS_ORIGINS=${listed},http://localhost:3000,https://new.example`],
    ])
  })

  test('is not named for pages of Keyward itself', async () => {
    const app = await apps.open({ env: { PUBLIC_URL: 'https://id.example.com/auth' } })
    await call(app, 'https://id.example.com')
    await call(app, 'http://127.0.0.1:8000', 'GET', { host: '127.0.0.1:8000' })
    expect(named(app)).toEqual([])
  })

  test('is not named at /forward-auth, where a proxy copies it from a request to another service', async () => {
    const app = await apps.open()
    for (const path of ['/forward-auth', '/forward-auth/orders'])
      await app.request('GET', path, { headers: { origin: 'https://shop.example' } })
    expect(named(app)).toEqual([])
  })

  test('is not named if no setting could allow it, or a shell could misread it', async () => {
    const app = await apps.open()
    for (const origin of [
      'null',
      '*',
      '',
      'https://app.example.com/',
      'HTTPS://APP.EXAMPLE.COM',
      'https://a,b',
      'https://$(reboot)',
      'https://`reboot`',
      'https://x.example\u00e9',
      `https://${'a'.repeat(300)}.example`,
    ])
      await call(app, origin)
    expect(named(app)).toEqual([])
  })

  test('is one of at most twenty that are named', async () => {
    const app = await apps.open()
    for (let at = 0; at < 50; at++) await call(app, `https://a${at}.example`)
    expect(named(app)).toHaveLength(20)
  })
})
