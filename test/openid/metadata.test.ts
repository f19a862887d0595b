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
    const { scopes_supported, claims_supported, ...metadata } = (await response.json()) as Record<string, unknown>
    expect(scopes_supported).toEqual(['openid', 'profile', 'email', 'groups', 'offline_access'])
    expect(claims_supported).toEqual(expect.arrayContaining(['sub', 'auth_time', 'email', 'preferred_username']))
    const methods = ['client_secret_basic', 'client_secret_post', 'none']
    expect(metadata).toEqual({
      issuer: 'https://auth.example.com',
      authorization_endpoint: 'https://auth.example.com/authorize',
      token_endpoint: 'https://auth.example.com/token',
      userinfo_endpoint: 'https://auth.example.com/userinfo',
      end_session_endpoint: 'https://auth.example.com/end-session',
      device_authorization_endpoint: 'https://auth.example.com/device_authorization',
      jwks_uri: 'https://auth.example.com/.well-known/jwks.json',
      revocation_endpoint: 'https://auth.example.com/revoke',
      introspection_endpoint: 'https://auth.example.com/introspect',
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'form_post'],
      grant_types_supported: [
        'authorization_code',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code',
        'password',
        'refresh_token',
        'urn:keyward:oauth:grant-type:mfa',
        'urn:keyward:oauth:grant-type:passkey',
      ],
      acr_values_supported: ['aal1', 'aal2', 'phr'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA'],
      code_challenge_methods_supported: ['S256'],
      ui_locales_supported: ['en', 'de', 'fr', 'es', 'ja'],
      prompt_values_supported: ['none', 'login', 'consent', 'select_account', 'create'],
      token_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_methods_supported: methods,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'Bearer'],
      authorization_response_iss_parameter_supported: true,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
      claims_parameter_supported: false,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      service_documentation: 'https://auth.example.com/docs',
    })
  })

  test.each([
    ['JWT_ALG=HS256', { JWT_ALG: 'HS256', JWT_SECRET: 'a-secret-of-more-than-thirty-two-characters' }],
    ['PAGES=off', { PAGES: 'off' }],
  ])('says that there is no OpenID provider with %s', async (_, env) => {
    const app = await apps.open({ env: env as Record<string, string> })
    expect((await app.request('GET', '/.well-known/openid-configuration')).status).toBe(404)
    const metadata = (await (await app.request('GET', WELL_KNOWN)).json()) as Record<string, unknown>
    expect(metadata).not.toHaveProperty('authorization_endpoint')
    expect(metadata.grant_types_supported).toEqual([
      'password',
      'refresh_token',
      'urn:keyward:oauth:grant-type:mfa',
      'urn:keyward:oauth:grant-type:passkey',
    ])
    expect((await app.request('GET', '/authorize')).status).toBe(404)
  })

  test('contains only addresses of routes', async () => {
    const app = await apps.open()
    const metadata = (await (await app.request('GET', WELL_KNOWN)).json()) as Record<string, unknown>
    const addresses = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$|_documentation$/.test(name))
    expect(addresses.length).toBe(9)
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
