import { expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'

const spa = 'https://spa.example'

describeEachDialect('CORS by client', (dialect) => {
  const apps = appsPerTest()

  test('15.O44: origins of enabled public clients may call the routes of clients, without credentials', async () => {
    const app = await apps.open({ dialect, jobs: true })
    const allowed = async (path: string, origin: string, method = 'POST') => {
      const asked = { origin, 'access-control-request-method': method }
      const preflight = await app.request('OPTIONS', path, { headers: asked })
      const answer = await app.request(method, path, { headers: { origin } })
      for (const { headers } of [preflight, answer]) expect(headers.get('access-control-allow-credentials')).toBeNull()
      const said = answer.headers.get('access-control-allow-origin')
      expect(preflight.headers.get('access-control-allow-origin')).toBe(said)
      expect(preflight.headers.has('access-control-allow-methods')).toBe(said !== null)
      return said
    }
    expect(await allowed('/token', spa)).toBeNull()
    const redirectUris = [`${spa}/callback`, 'http://localhost:5173/cb', 'http://127.0.0.1:5173/cb', 'com.example:/cb']
    const { client } = await app.admin.createClient({ isPublic: true, redirectUris })
    await app.admin.createClient({ redirectUris: ['https://server.example/cb'] })
    await app.admin.createClient({ isPublic: true, allowsHttp: true, redirectUris: ['http://plain.example/cb'] })
    await app.admin.clients.refreshOrigins()
    for (const path of ['/token', '/revoke', '/token/']) expect(await allowed(path, spa)).toBe(spa)
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:5173'])
      expect(await allowed('/token', origin)).toBe(origin)
    const answer = await app.request('POST', '/token', { form: {}, headers: { origin: spa } })
    expect(answer.headers.get('vary')).toBe('Origin')
    for (const origin of [
      'https://server.example',
      'http://plain.example',
      'https://spa.example:8443',
      'http://spa.example',
      'https://SPA.example',
      'com.example:',
      'com.example://',
      'null',
    ])
      expect([origin, await allowed('/token', origin)]).toEqual([origin, null])
    // Keyward's own routes and the pages are never opened by a client.
    for (const [path, method] of [
      ['/users/me', 'GET'],
      ['/token/refresh', 'POST'],
      ['/register', 'POST'],
      ['/admin/clients', 'GET'],
      ['/introspect', 'POST'],
      ['/authorize', 'GET'],
      ['/sign-in', 'GET'],
      ['/', 'GET'],
    ] as const)
      expect([path, await allowed(path, spa, method)]).toEqual([path, null])
    // The metadata and the keys are for everybody.
    for (const path of ['/.well-known/jwks.json', '/.well-known/oauth-authorization-server']) {
      expect(await allowed(path, 'https://anywhere.example', 'GET')).toBe('*')
      expect((await app.request('GET', path)).headers.get('access-control-allow-origin')).toBe('*')
    }
    // Another process changes the client: this one follows within 30 s.
    const other = await apps.open({ databaseUrl: app.databaseUrl, clock: app.clock, dialect })
    await other.admin.clients.update(client.id, { isEnabled: false })
    expect(await allowed('/token', spa)).toBe(spa)
    await app.passTime(31 * SECOND)
    expect(await allowed('/token', spa)).toBeNull()
  })
})
