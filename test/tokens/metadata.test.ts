import { describe, expect, test } from 'bun:test'
import { appsPerTest } from '../support/hooks.ts'

const WELL_KNOWN = '/.well-known/oauth-authorization-server'

describe('RFC 8414 metadata', () => {
  const apps = appsPerTest()

  test('names what is supported and nothing else', async () => {
    const app = await apps.open({ env: { PUBLIC_URL: 'https://auth.example.com' } })
    const response = await app.request('GET', WELL_KNOWN)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toStartWith('application/json')
    expect(response.headers.get('cache-control')).toBe('public, max-age=600')
    expect(await response.json()).toEqual({
      issuer: 'https://auth.example.com',
      token_endpoint: 'https://auth.example.com/token',
      jwks_uri: 'https://auth.example.com/.well-known/jwks.json',
      revocation_endpoint: 'https://auth.example.com/revoke',
      introspection_endpoint: 'https://auth.example.com/introspect',
      response_types_supported: [],
      grant_types_supported: ['password', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['none'],
      revocation_endpoint_auth_methods_supported: ['none'],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'Bearer'],
      service_documentation: 'https://auth.example.com/docs',
    })
  })

  test('contains only addresses of routes', async () => {
    const app = await apps.open()
    const metadata = (await (await app.request('GET', WELL_KNOWN)).json()) as Record<string, unknown>
    const addresses = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$|_documentation$/.test(name))
    expect(addresses.map(([name]) => name)).toEqual([
      'token_endpoint',
      'jwks_uri',
      'revocation_endpoint',
      'introspection_endpoint',
      'service_documentation',
    ])
    for (const [name, address] of addresses)
      expect([name, app.table.allowed(new URL(String(address)).pathname)]).not.toEqual([name, []])
  })

  test('names the grants that the token endpoint accepts', async () => {
    const app = await apps.open()
    const { grant_types_supported } = (await (await app.request('GET', WELL_KNOWN)).json()) as Record<string, string[]>
    for (const grant of [...grant_types_supported!, 'authorization_code', 'client_credentials']) {
      const response = await app.request('POST', '/token', { form: { grant_type: grant } })
      const { error } = (await response.json()) as { error: string }
      expect([grant, error === 'unsupported_grant_type']).toEqual([grant, !grant_types_supported!.includes(grant)])
    }
  })

  test('of an issuer with a path is at the place of RFC 8414 section 3.1 too', async () => {
    const app = await apps.open({ env: { PUBLIC_URL: 'https://example.com/auth/v1' } })
    const there = await app.request('GET', `${WELL_KNOWN}/auth/v1`)
    expect(there.status).toBe(200)
    const metadata = (await there.json()) as Record<string, unknown>
    expect(metadata).toMatchObject({
      issuer: 'https://example.com/auth/v1',
      token_endpoint: 'https://example.com/auth/v1/token',
      jwks_uri: 'https://example.com/auth/v1/.well-known/jwks.json',
    })
    expect(await (await app.request('GET', WELL_KNOWN)).json()).toEqual(metadata)
    expect((await app.request('GET', `${WELL_KNOWN}/auth`)).status).toBe(404)
  })
})
