import { describe, expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { registerClient } from '../openid/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import {
  checkIdToken,
  createBrowser,
  issuer,
  providerOptions,
  relyingParty,
  settle,
  state128,
  user,
  wholeFlow,
} from './support.ts'

/*
 * The modules of the official suite's plan `oidcc-basic-certification-test-plan`, under its names (oidc.md 1.2). Modules
 * that need dynamic registration, or request objects, are skipped there with static clients; what they would send is
 * in `refusals.test.ts`.
 */
describeEachDialect('oidcc-basic-certification-test-plan', (dialect) => {
  const app = appPerTest({ ...providerOptions, dialect })

  async function start() {
    await app.signUp(user.username, user.password)
    const suite = { name: 'Suite', requiresPkce: false, scopes: ['openid', 'profile', 'email', 'offline_access'] }
    const client = await registerClient(app, { ...suite, redirectUri: 'https://suite.example.net/test/callback' })
    const rp = relyingParty(app, client)
    const browser = createBrowser(app)
    return { rp, browser, client }
  }

  test('oidcc-server', async () => {
    const { rp, browser, client } = await start()
    const { answer, tokens } = await wholeFlow(rp, browser)
    expect(Buffer.from(answer.code!).length).toBeGreaterThan(40)
    expect(tokens).toMatchObject({ token_type: 'Bearer', scope: 'openid' })
    expect(tokens.expires_in).toBeGreaterThan(0)
    await checkIdToken(app, { tokens, client, nonce: 'a nonce' })
  })

  test('oidcc-response-type-missing', async () => {
    const { rp, browser } = await start()
    const screen = await browser.open(rp.address({ response_type: undefined }))
    expect(rp.answer(screen)).toMatchObject({ error: 'invalid_request' })
  })

  test('oidcc-userinfo-get, oidcc-userinfo-post-header', async () => {
    const { rp, browser } = await start()
    const { tokens, claims } = await wholeFlow(rp, browser)
    for (const method of ['GET', 'POST']) {
      const response = await rp.userinfo(tokens.access_token, method)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toStartWith('application/json')
      expect(await response.json()).toEqual({ sub: claims.sub })
    }
  })

  test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    const { rp, browser, client } = await start()
    const { tokens } = await wholeFlow(rp, browser, { nonce: undefined })
    await checkIdToken(app, { tokens, client, nonce: undefined })
  })

  test('oidcc-scope-profile, oidcc-scope-email, oidcc-scope-all', async () => {
    const { rp, browser, client } = await start()
    const claimsOf = async (scope: string) => {
      const { tokens } = await wholeFlow(rp, browser, { scope })
      await checkIdToken(app, { tokens, client, nonce: 'a nonce' })
      expect(tokens.scope).toBe(scope)
      return (await (await rp.userinfo(tokens.access_token)).json()) as Record<string, unknown>
    }
    const profile = { name: 'ada', preferred_username: 'ada', updated_at: expect.any(Number) }
    const email = { email: 'ada@example.com', email_verified: false }
    const sub = expect.stringMatching(/^\d+$/)
    expect(await claimsOf('openid profile')).toEqual({ sub, ...profile })
    expect(await claimsOf('openid email')).toEqual({ sub, ...email })
    expect(await claimsOf('openid profile email')).toEqual({ sub, ...profile, ...email })
  })

  test('oidcc-alternate-happy-flow', async () => {
    const { rp, browser, client } = await start()
    const reversed = new URLSearchParams(
      [...new URLSearchParams(rp.address({ scope: 'email openid' }).split('?')[1])].reverse(),
    )
    const screen = await settle(browser, await browser.open(`/authorize?${reversed}`))
    const tokens = (await (await rp.exchange(rp.answer(screen).code!)).json()) as never
    await checkIdToken(app, { tokens, client, nonce: 'a nonce' })
  })

  test('oidcc-display-page, oidcc-display-popup', async () => {
    const { rp, browser } = await start()
    for (const display of ['page', 'popup'])
      expect((await wholeFlow(rp, browser, { display })).answer.code).toBeString()
  })

  test('oidcc-prompt-login', async () => {
    const { rp, browser } = await start()
    const first = await wholeFlow(rp, browser)
    app.clock.advance(SECOND)
    const page = await browser.open(rp.address({ prompt: 'login' }))
    expect(page.isAway).toBe(false)
    expect(page.forms.some(({ fields }) => 'password' in fields)).toBe(true)
    const screen = await settle(browser, page)
    const second = (await (await rp.exchange(rp.answer(screen).code!)).json()) as { id_token: string }
    const authTime = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).auth_time
    expect(authTime(second.id_token)).toBeGreaterThan(first.claims.auth_time as number)
  })

  test('oidcc-prompt-none-not-logged-in', async () => {
    const { rp, browser } = await start()
    const screen = await browser.open(rp.address({ prompt: 'none', state: state128 }))
    expect(rp.answer(screen, { state: state128 })).toMatchObject({ error: 'login_required' })
  })

  test('oidcc-prompt-none-logged-in', async () => {
    const { rp, browser } = await start()
    const first = await wholeFlow(rp, browser)
    app.clock.advance(SECOND)
    const screen = await browser.open(rp.address({ prompt: 'none' }))
    const again = await rp.exchange(rp.answer(screen).code!)
    const claims = JSON.parse(
      Buffer.from(((await again.json()) as { id_token: string }).id_token.split('.')[1]!, 'base64url').toString(),
    )
    expect([claims.sub, claims.auth_time]).toEqual([first.claims.sub, first.claims.auth_time])
  })

  test('oidcc-max-age-1', async () => {
    const { rp, browser } = await start()
    const first = await wholeFlow(rp, browser)
    app.clock.advance(2 * SECOND)
    const page = await browser.open(rp.address({ max_age: '1' }))
    expect(page.forms.some(({ fields }) => 'password' in fields)).toBe(true)
    const { claims } = await wholeFlow(rp, browser, { max_age: '1' })
    expect(claims.auth_time).toBeGreaterThan(first.claims.auth_time as number)
  })

  test('oidcc-max-age-10000', async () => {
    const { rp, browser } = await start()
    const first = await wholeFlow(rp, browser, { max_age: '15000' })
    app.clock.advance(SECOND)
    const screen = await browser.open(rp.address({ max_age: '10000' }))
    expect(screen.isAway).toBe(true)
    const second = await wholeFlow(rp, browser, { max_age: '10000' })
    expect(second.claims.auth_time).toBe(first.claims.auth_time as number)
    expect(first.claims.auth_time).toBeNumber()
  })

  test('oidcc-ensure-request-with-unknown-parameter-succeeds, oidcc-login-hint, oidcc-ui-locales, oidcc-claims-locales', async () => {
    const { rp, browser } = await start()
    const page = await browser.open(rp.address({ login_hint: 'buffy@op.example.com' }))
    expect(page.html).toContain('value="buffy@op.example.com"')
    for (const sent of [{ extra: 'foobar' }, { ui_locales: 'se' }, { claims_locales: 'se' }])
      expect((await wholeFlow(rp, browser, sent)).answer.code).toBeString()
  })

  test('oidcc-ensure-request-with-acr-values-succeeds', async () => {
    const { rp, browser } = await start()
    const found = await app.request('GET', '/.well-known/openid-configuration')
    const { acr_values_supported: supported } = (await found.json()) as { acr_values_supported: string[] }
    const { claims } = await wholeFlow(rp, browser, { acr_values: supported.join(' ') })
    expect(supported).toContain(claims.acr as string)
  })

  test('oidcc-id-token-hint', async () => {
    const { rp, browser } = await start()
    const first = await wholeFlow(rp, browser)
    app.clock.advance(SECOND)
    const second = await wholeFlow(rp, browser, { prompt: 'none', id_token_hint: first.tokens.id_token! })
    expect([second.claims.sub, second.claims.auth_time]).toEqual([first.claims.sub, first.claims.auth_time])
  })

  test('oidcc-codereuse, oidcc-codereuse-30seconds', async () => {
    const { rp, browser } = await start()
    const { answer, tokens } = await wholeFlow(rp, browser)
    app.clock.advance(30 * SECOND)
    const again = await rp.exchange(answer.code!)
    expect([again.status, await again.json()]).toMatchObject([400, { error: 'invalid_grant' }])
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401)
  })

  test('oidcc-ensure-registered-redirect-uri', async () => {
    const { rp, browser, client } = await start()
    const screen = await browser.open(rp.address({ redirect_uri: `${client.redirectUri}/random` }))
    expect([screen.isAway, screen.status, screen.headers.get('location')]).toEqual([false, 400, null])
  })

  test('oidcc-ensure-post-request-succeeds', async () => {
    const { rp, browser } = await start()
    await wholeFlow(rp, browser)
    const query = new URLSearchParams(rp.address().split('?')[1])
    const screen = await browser.postFromElsewhere('/authorize', Object.fromEntries(query))
    expect(rp.answer(screen).code).toBeString()
  })

  test('oidcc-server-client-secret-post', async () => {
    const { rp, browser, client } = await start()
    const screen = await settle(browser, await browser.open(rp.address()))
    const { code } = rp.answer(screen)
    const form = { grant_type: 'authorization_code', code: code!, redirect_uri: client.redirectUri }
    const posted = { ...form, client_id: client.id, client_secret: client.secret }
    expect((await app.request('POST', '/token', { form: posted })).status).toBe(200)
  })

  test('oidcc-claims-essential', async () => {
    const { rp, browser, client } = await start()
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } })
    const { tokens } = await wholeFlow(rp, browser, { claims })
    await checkIdToken(app, { tokens, client, nonce: 'a nonce' })
  })

  test('oidcc-refresh-token', async () => {
    const { rp, browser, client } = await start()
    const first = await wholeFlow(rp, browser, { scope: 'openid offline_access', prompt: 'consent' })
    expect(first.tokens.refresh_token).toMatch(/^[\x21-\x7e]+$/)
    app.clock.advance(SECOND)
    const response = await rp.refresh(first.tokens.refresh_token!, { scope: 'openid offline_access' })
    expect(response.status).toBe(200)
    const tokens = (await response.json()) as never
    const claims = JSON.parse(
      Buffer.from((tokens as { id_token: string }).id_token.split('.')[1]!, 'base64url').toString(),
    )
    expect(claims).toMatchObject({
      iss: issuer,
      sub: first.claims.sub,
      aud: client.id,
      auth_time: first.claims.auth_time,
    })
    expect(claims.iat).toBeGreaterThan(first.claims.iat as number)
    expect(claims.sid).toBe(first.claims.sid)
    const other = await registerClient(app, { name: 'Other', redirectUri: 'https://other.example.net/callback' })
    const foreign = await relyingParty(app, other).refresh((tokens as { refresh_token: string }).refresh_token)
    expect([foreign.status, await foreign.json()]).toMatchObject([400, { error: 'invalid_grant' }])
  })

  test('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const { rp, browser } = await start()
    const verifier = 'v'.repeat(64)
    const challenge = new Bun.CryptoHasher('sha256').update(verifier).digest('base64url')
    const sent = { code_challenge: challenge, code_challenge_method: 'S256' }
    expect((await wholeFlow(rp, browser, sent, { code_verifier: verifier })).tokens.id_token).toBeString()
  })
})

describe('oidcc-config-certification-test-plan', () => {
  const app = appPerTest(providerOptions)

  test('oidcc-discovery-endpoint-verification', async () => {
    const response = await app.request('GET', '/.well-known/openid-configuration')
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('application/json'),
    ])
    const metadata = (await response.json()) as Record<string, unknown>
    expect(metadata).toMatchObject({
      issuer,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      userinfo_endpoint: `${issuer}/userinfo`,
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
      scopes_supported: expect.arrayContaining(['openid']),
      code_challenge_methods_supported: ['S256'],
    })
    for (const [name, value] of Object.entries(metadata))
      if (name.endsWith('_endpoint') || name === 'jwks_uri') expect(value).toStartWith(`${issuer}/`)
    expect(await (await app.request('GET', '/.well-known/oauth-authorization-server')).json()).toEqual(metadata)
  })
})
