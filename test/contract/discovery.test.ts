import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { OidcClient } from 'oidc-client-ts'
import * as openid from 'openid-client'
import { introspectionKey } from '../sessions/support.ts'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { manualClock } from '../support/clock.ts'
import { freePort } from '../support/proxy.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { type Served, serve } from '../support/socket.ts'

let app: TestApp
let served: Served
let ada: SignedUp
let key = ''

beforeAll(async () => {
  const port = await freePort()
  // The libraries compare `exp` with the time of the machine.
  app = await createTestApp({ clock: manualClock(Date.now()), env: { PUBLIC_URL: `http://127.0.0.1:${port}` } })
  served = serve(app, port)
  ada = await app.signUp()
  key = await introspectionKey(app)
})
afterAll(async () => {
  await served.stop()
  await app.close()
})

const known = () => ({ username: ada.username, password: ada.password })
describe('12.B8 M4: a generic library finds Keyward, as an OpenID provider and as an OAuth server', () => {
  const insecure = { [oauth.allowInsecureRequests]: true }

  test('oauth4webapi', async () => {
    const discover = async (algorithm: 'oauth2' | 'oidc') => {
      const issuer = new URL(served.url)
      return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm }))
    }
    expect(await discover('oidc')).toMatchObject({ userinfo_endpoint: `${served.url}/userinfo` })
    const server = { ...(await discover('oauth2')), issuer: served.url }
    const client = { client_id: 'gateway' }
    const asked = await oauth.introspectionRequest(
      server,
      client,
      oauth.ClientSecretBasic(key),
      ada.grant.access_token,
      insecure,
    )
    expect(await oauth.processIntrospectionResponse(server, client, asked)).toMatchObject({ active: true, sub: '1' })
  })

  test('openid-client', async () => {
    const discover = (options: openid.DiscoveryRequestOptions) =>
      openid.discovery(new URL(served.url), 'app', undefined, openid.None(), {
        ...options,
        execute: [openid.allowInsecureRequests],
      })
    expect((await discover({})).serverMetadata().userinfo_endpoint).toBe(`${served.url}/userinfo`)
    const config = await discover({ algorithm: 'oauth2' })
    const granted = await openid.genericGrantRequest(config, 'password', known())
    expect((await openid.refreshTokenGrant(config, granted.refresh_token!)).token_type).toBe('bearer')
  })

  test('oidc-client-ts', async () => {
    const client = new OidcClient({
      authority: served.url,
      client_id: 'app',
      redirect_uri: 'http://127.0.0.1/',
      metadataUrl: `${served.url}/.well-known/oauth-authorization-server`,
    })
    const granted = await client.processResourceOwnerPasswordCredentials({ ...known(), skipUserInfo: true })
    expect(granted.token_type).toBe('bearer')
  })
})

/** The JSON of an answer that these libraries take: its media type is `application/json`. */
async function json(request: string): Promise<Record<string, unknown>> {
  const { status, headers, body } = await served.raw(request)
  expect([status, headers.get('content-type')?.split(';')[0]]).toEqual([200, 'application/json'])
  return JSON.parse(body)
}

/** Verifies the token as the recipes configure it. */
async function verify(token: string, keys: unknown) {
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys as JSONWebKeySet), {
    typ: 'at+jwt',
    algorithms: ['ES256'],
    issuer: served.url,
    audience: served.url,
    requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
    clockTolerance: 30,
  })
  return payload
}

const host = 'Host: auth.example.com\r\nConnection: close\r\n'

describe('12.B8 M4: the exact requests of a framework that is not to be had here are answered as it needs', () => {
  test('Spring Security, which verifies tokens', async () => {
    const java = `Accept: application/json, application/jwk-set+json\r\nUser-Agent: Java/21.0.4\r\n${host}`
    const keys = await json(`GET /.well-known/jwks.json HTTP/1.1\r\n${java}\r\n`)
    expect(keys.keys).toContainEqual(expect.objectContaining({ kty: 'EC', use: 'sig', alg: 'ES256' }))
    expect(await verify(ada.grant.access_token, keys)).toMatchObject({ client_id: 'keyward', roles: ['user'] })
    // `issuer-uri` tries this address first.
    const any = `Accept: application/json, application/*+json\r\nUser-Agent: Java/21.0.4\r\n${host}`
    const metadata = await json(`GET /.well-known/openid-configuration HTTP/1.1\r\n${any}\r\n`)
    expect(metadata).toMatchObject({ issuer: served.url, jwks_uri: `${served.url}/.well-known/jwks.json` })
  })

  test('Spring Security, which introspects tokens', async () => {
    const ask = (token: string, secret = key) => {
      const body = `token=${encodeURIComponent(token)}`
      return `POST /introspect HTTP/1.1\r\nAccept: application/json\r\nContent-Type: application/x-www-form-urlencoded;charset=UTF-8\r\nAuthorization: Basic ${btoa(`gateway:${encodeURIComponent(secret)}`)}\r\nUser-Agent: Java/21.0.4\r\n${host}Content-Length: ${body.length}\r\n\r\n${body}`
    }
    const answer = await json(ask(ada.grant.access_token))
    expect(answer).toMatchObject({ active: true, token_type: 'Bearer', sub: '1', iss: served.url })
    // Spring reads these as numbers, and `iss` as a URL.
    expect([typeof answer.exp, typeof answer.iat, URL.canParse(String(answer.iss))]).toEqual(['number', 'number', true])
    expect(await json(ask('x'))).toEqual({ active: false })
    // A refresh token has no token_type, by which the guide tells a service to refuse it.
    expect(await json(ask(ada.grant.refresh_token!))).not.toHaveProperty('token_type')
    expect((await served.raw(ask('x', 'wrong'))).status).toBe(401)
  })

  test('ASP.NET Core, by the metadata address', async () => {
    const dotnet = `${host}User-Agent: Microsoft ASP.NET Core JwtBearer handler\r\nx-client-SKU: ID_NET8_0\r\nx-client-ver: 8.0.1.0\r\n`
    const metadata = await json(`GET /.well-known/oauth-authorization-server HTTP/1.1\r\n${dotnet}\r\n`)
    expect(metadata.issuer).toBe(decodeJwt(ada.grant.access_token).iss)
    const keys = await json(`GET ${new URL(String(metadata.jwks_uri)).pathname} HTTP/1.1\r\n${dotnet}\r\n`)
    expect(await verify(ada.grant.access_token, keys)).toMatchObject({ sub: '1', roles: ['user'] })
  })

  test('the recipes say what these tests assume, and that they were not run', async () => {
    const guide = await readChapter('protecting-services')
    const textOf = (language: string) => blocksOf(guide).find((block) => block.language === language)!.text
    for (const word of ['/.well-known/jwks.json"', 'ES256', 'validateType(false)', 'createAtJwtValidator', '"keyward"'])
      expect(textOf('java')).toContain(word)
    expect(textOf('properties')).toContain('/introspect')
    for (const word of ['/.well-known/oauth-authorization-server"', '["at+jwt"]', '["ES256"]', 'ValidAudience'])
      expect(textOf('csharp')).toContain(word)
    for (const name of ['Spring', 'ASP.NET']) expect(guide).toContain(`Not run: ${name} was not available`)
  })
})
