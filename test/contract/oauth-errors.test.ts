import { beforeAll, describe, expect, test } from 'bun:test'
import * as oauth from 'oauth4webapi'
import { OidcClient } from 'oidc-client-ts'
import * as openid from 'openid-client'
import { type ErrorCode, KeywardError } from '../../src/errors.ts'
import { introspectionKey } from '../sessions/support.ts'
import type { RequestOptions } from '../support/app.ts'
import { servedPerSuite, withApp } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'

const paths = ['/token', '/user/token', '/token/refresh', '/revoke', '/introspect', '/device_authorization']

/** `[status, media type, code]` of a refusal, after a look at the members that OAuth clients read. */
async function refusal(response: Response): Promise<[number, string | null, string]> {
  const body = (await response.json()) as Record<string, unknown>
  expect([typeof body.error, body.error_description, body.status]).toEqual(['string', body.detail, response.status])
  return [response.status, response.headers.get('content-type'), String(body.code)]
}

describe('12.B6 an error of an OAuth route is application/json', () => {
  test('with every status that the route answers', async () => {
    let isAway = false
    const failing = watchStatements(() => {
      if (isAway) throw new KeywardError('database_unavailable')
    })
    const replace = { store: failing }
    await withApp({ env: { RATE_LIMIT: 'on' }, replace }, async (app) => {
      const { username, grant } = await app.signUp()
      const key = await introspectionKey(app)
      const post = async (path: string, options: RequestOptions) =>
        refusal(await app.request('POST', path, { ...(path === '/introspect' && { token: key }), ...options }))
      const is = (status: number, code: ErrorCode) => [status, 'application/json', code] as [number, string, string]
      for (const path of paths) {
        const type = path === '/token/refresh' ? 'application/json' : 'application/x-www-form-urlencoded'
        expect(await refusal(await app.request('GET', path))).toEqual(is(405, 'method_not_allowed'))
        expect(await post(path, { form: '%', type })).toEqual(is(400, 'invalid_request'))
        expect(await post(path, { body: '{}', type: 'text/plain' })).toEqual(is(415, 'unsupported_media_type'))
        expect(await post(path, { body: 'x'.repeat(70_000), type })).toEqual(is(413, 'payload_too_large'))
      }
      const form = { username, password: 'wrong' }
      for (const path of ['/token', '/user/token']) {
        const refresh = { grant_type: 'refresh_token', refresh_token: 'kwr_bad' }
        expect(await post(path, { form: refresh })).toEqual(is(400, 'invalid_grant'))
        expect(await post(path, { form: { grant_type: 'magic' } })).toEqual(is(400, 'unsupported_grant_type'))
        expect(await post(path, { form })).toEqual(is(401, 'invalid_credentials'))
      }
      const late = []
      for (let i = 0; i < 6; i++) late.push(await post('/token', { form }))
      expect(late.at(-1)).toEqual(is(429, 'rate_limited'))
      expect(await post('/user/token', { form })).toEqual(is(429, 'rate_limited'))
      for (let i = 0; i < 11; i++)
        late.push(await refusal(await app.request('POST', '/introspect', { form: { token: 'x', client_secret: 'x' } })))
      expect(late.at(-2)).toEqual(is(401, 'invalid_client'))
      expect(late.at(-1)).toEqual(is(429, 'rate_limited'))
      expect(await post('/token/refresh', { json: { refresh_token: 'kwr_bad' } })).toEqual(
        is(401, 'invalid_refresh_token'),
      )
      const unauthenticated = await app.request('POST', '/introspect', { form: { token: 'x' } })
      expect(await refusal(unauthenticated)).toEqual(is(401, 'not_authenticated'))
      isAway = true
      const token = grant.refresh_token!
      for (const path of ['/token', '/user/token'])
        expect(await post(path, { form: { username: 'grace', password: 'x' } })).toEqual(
          is(503, 'database_unavailable'),
        )
      expect(await post('/token/refresh', { json: { refresh_token: token } })).toEqual(is(503, 'database_unavailable'))
      for (const path of ['/revoke', '/introspect'])
        expect(await post(path, { form: { token } })).toEqual(is(503, 'database_unavailable'))
    })
  })

  test('and /openapi.json says so', async () => {
    await withApp({}, async (app) => {
      const document = (await (await app.request('GET', '/openapi.json')).json()) as {
        paths: Record<string, { post: { responses: Record<string, { $ref?: string }> } }>
        components: { responses: Record<string, { content: object }> }
      }
      for (const path of paths)
        for (const [status, { $ref }] of Object.entries(document.paths[path]!.post.responses))
          if (Number(status) >= 400) {
            const { content } = document.components.responses[$ref!.split('/').at(-1)!]!
            expect([path, status, Object.keys(content)]).toEqual([path, status, ['application/json']])
          }
    })
  })
})

describe('12.B6 a client library hands invalid_grant to the app', () => {
  const { app, served } = servedPerSuite()
  beforeAll(async () => {
    await app.signUp()
  })

  const metadata = (): oauth.AuthorizationServer => ({
    issuer: served.url,
    token_endpoint: `${served.url}/token`,
    revocation_endpoint: `${served.url}/revoke`,
  })
  const thrownBy = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: { name: string; error?: string; status?: number }) => error,
    )

  test('openid-client', async () => {
    const config = new openid.Configuration(metadata() as openid.ServerMetadata, 'app', undefined, openid.None())
    openid.allowInsecureRequests(config)
    const error = await thrownBy(openid.refreshTokenGrant(config, 'kwr_bad'))
    expect([error?.name, error?.error, error?.status]).toEqual(['ResponseBodyError', 'invalid_grant', 400])
    // The FastAPI clients need 401 for a wrong password, and the library looks at the challenge first.
    const form = { username: 'ada', password: 'wrong' }
    const wrong = await thrownBy(openid.genericGrantRequest(config, 'password', form))
    expect([wrong?.name, wrong?.status]).toEqual(['WWWAuthenticateChallengeError', 401])
  })

  test('oauth4webapi', async () => {
    const client: oauth.Client = { client_id: 'app' }
    const options = { [oauth.allowInsecureRequests]: true }
    const response = await oauth.refreshTokenGrantRequest(metadata(), client, oauth.None(), 'kwr_bad', options)
    const error = await thrownBy(oauth.processRefreshTokenResponse(metadata(), client, response))
    expect([error?.name, error?.error, error?.status]).toEqual(['ResponseBodyError', 'invalid_grant', 400])
  })

  test('oidc-client-ts', async () => {
    const client = new OidcClient({
      authority: served.url,
      client_id: 'app',
      redirect_uri: 'http://127.0.0.1/',
      metadata: metadata(),
    })
    const state = { refresh_token: 'kwr_bad', session_state: null, profile: { sub: '1' } }
    const error = await thrownBy(client.useRefreshToken({ state: state as never }))
    expect([error?.name, error?.error]).toEqual(['ErrorResponse', 'invalid_grant'])
  })
})
