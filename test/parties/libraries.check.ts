import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import * as oauth from 'oauth4webapi'
import * as oidc from 'openid-client'
import { createBrowser, settle } from '../conformance/support.ts'
import { registerClient } from '../openid/support.ts'
import { webApp } from './openid-client.ts'
import { providerPerSuite, user } from './provider.ts'

setDefaultTimeout(60_000)

const bye = 'https://app.example.net/bye'
const scope = 'openid profile email offline_access'

describe('15 strict libraries against the provider at an https address', () => {
  const provider = providerPerSuite()
  const fetch = ((url: string, init: RequestInit) => provider.fetch(url, init)) as never

  function newBrowser() {
    const browser = createBrowser(provider.app)
    return { browser, settled: (screen: Parameters<typeof settle>[1]) => settle(browser, screen) }
  }

  test.each([
    ['a public client', true, undefined],
    ['client_secret_basic', false, oidc.ClientSecretBasic],
    ['client_secret_post', false, oidc.ClientSecretPost],
  ])('openid-client with %s: sign-in, claims, two refreshes, revocation, logout', async (_, isPublic, method) => {
    const { app, issuer, sub } = provider
    const client = await registerClient(app, { isPublic, postLogoutRedirectUris: [bye] })
    const party = await webApp(issuer, client, { fetch, ...(method && { authentication: method(client.secret) }) })
    const { browser, settled } = newBrowser()

    const tokens = await party.signIn(browser, settled, scope)
    expect(tokens.claims()).toMatchObject({ iss: issuer, aud: client.id, sub })
    expect(await party.userinfo(tokens, sub)).toMatchObject({ preferred_username: 'ada', email: 'ada@example.com' })
    const second = await party.refresh(tokens.refresh_token!)
    const third = await party.refresh(second.refresh_token!)
    expect(third.claims()).toMatchObject({ sub, sid: tokens.claims()!.sid, auth_time: tokens.claims()!.auth_time })

    await oidc.tokenRevocation(party.config, third.refresh_token!)
    await expect(party.refresh(third.refresh_token!)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(party.userinfo(third, sub)).rejects.toMatchObject({ status: 401 })

    const { url } = await browser.open(party.endSession(third.id_token!, bye))
    expect(url.href).toBe(`${bye}?state=bye`)
  })

  test.each(['RS256', 'ES256', 'EdDSA'] as const)('openid-client verifies ID tokens with %s', async (idTokenAlg) => {
    const client = await registerClient(provider.app, { idTokenAlg })
    const party = await webApp(provider.issuer, client, { fetch })
    const { browser, settled } = newBrowser()
    expect((await party.signIn(browser, settled, 'openid')).claims()).toMatchObject({ sub: provider.sub })
  })

  test('openid-client gets a token of its own, and sees whether it is alive', async () => {
    const client = await registerClient(provider.app, {
      ...{ grantTypes: ['client_credentials'], credentialsScopes: ['reports:read'], redirectUris: [] },
    })
    const { config } = await webApp(provider.issuer, client, { fetch })
    const granted = await oidc.clientCredentialsGrant(config, { scope: 'reports:read' })
    expect(granted).toMatchObject({ token_type: 'bearer', scope: 'reports:read' })
    expect(await oidc.tokenIntrospection(config, granted.access_token)).toMatchObject({
      ...{ active: true, client_id: client.id, sub: client.id, scope: 'reports:read' },
    })
  })

  test('openid-client signs a device in while a person agrees in a browser', async () => {
    const grantTypes = ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'] as const
    const client = await registerClient(provider.app, { isPublic: true, grantTypes: [...grantTypes] })
    const { config } = await webApp(provider.issuer, client, { fetch })
    const started = await oidc.initiateDeviceAuthorization(config, { scope: 'openid offline_access' })
    const { browser } = newBrowser()
    await browser.open(started.verification_uri_complete!)
    for (let steps = 0; steps < 4 && browser.screen().forms.length > 0; steps++) {
      const has = (name: string) => browser.screen().forms.some(({ fields }) => name in fields)
      if (has('password')) await browser.submit(user, ({ fields }) => 'password' in fields)
      else if (has('decision')) await browser.submit({}, ({ fields }) => fields.decision === 'allow')
      else await browser.submit()
    }
    const tokens = await oidc.pollDeviceAuthorizationGrant(config, started)
    expect(tokens.claims()).toMatchObject({ aud: client.id, sub: provider.sub })
    expect((await oidc.refreshTokenGrant(config, tokens.refresh_token!)).claims()).toMatchObject({ sub: provider.sub })
  })

  test('oauth4webapi: sign-in, claims, refresh, a code that is used twice, logout', async () => {
    const { app, issuer, sub } = provider
    const registered = await registerClient(app, { postLogoutRedirectUris: [bye] })
    const { redirectUri } = registered
    const options = { [oauth.customFetch]: fetch }
    const discovered = await oauth.discoveryRequest(new URL(issuer), options)
    const as = await oauth.processDiscoveryResponse(new URL(issuer), discovered)
    const client = { client_id: registered.id }
    const authentication = oauth.ClientSecretBasic(registered.secret)
    const [verifier, state, nonce] = [
      oauth.generateRandomCodeVerifier(),
      oauth.generateRandomState(),
      oauth.generateRandomNonce(),
    ]
    const { browser, settled } = newBrowser()

    const asked = new URL(as.authorization_endpoint!)
    asked.search = new URLSearchParams({
      ...{ client_id: registered.id, redirect_uri: redirectUri, response_type: 'code', scope, state, nonce },
      ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
      max_age: '3600',
    }).toString()
    const { url } = await settled(await browser.open(asked.href))
    const answer = oauth.validateAuthResponse(as, client, url, state)
    const exchange = () =>
      oauth.authorizationCodeGrantRequest(as, client, authentication, answer, redirectUri, verifier, options)
    const response = await exchange()
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
      ...{ expectedNonce: nonce, maxAge: 3600, requireIdToken: true },
    })
    await oauth.validateApplicationLevelSignature(as, response, options)
    const asUser = await oauth.userInfoRequest(as, client, tokens.access_token, options)
    expect(await oauth.processUserInfoResponse(as, client, sub, asUser)).toMatchObject({ sub, name: 'ada' })

    const again = await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token!, options)
    const refreshed = await oauth.processRefreshTokenResponse(as, client, again)
    expect(oauth.getValidatedIdTokenClaims(refreshed)).toMatchObject({ sub })

    const twice = oauth.processAuthorizationCodeResponse(as, client, await exchange())
    await expect(twice).rejects.toMatchObject({ error: 'invalid_grant' })

    const leave = new URL(as.end_session_endpoint!)
    leave.search = new URLSearchParams({
      ...{ id_token_hint: refreshed.id_token!, post_logout_redirect_uri: bye, state: 'bye' },
    }).toString()
    await browser.open(leave.href)
    const end = browser.screen().isAway ? browser.screen() : await browser.submit()
    expect(end.url.href).toBe(`${bye}?state=bye`)
    const silent = await browser.open(`${asked.href}&prompt=none`)
    expect(silent.url.searchParams.get('error')).toBe('login_required')
  })
})
