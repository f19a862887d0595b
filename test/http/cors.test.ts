import { describe, expect, test } from 'bun:test'
import { createTestApp } from '../support/app.ts'
import { appPerSuite } from '../support/hooks.ts'
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
