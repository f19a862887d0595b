import { expect, test } from 'bun:test'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { fakeEndpoints } from '../logouts/support.ts'
import { registerClient } from '../openid/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { createBrowser, issuer, providerOptions, relyingParty, state128, user, wholeFlow } from './support.ts'

const bye = 'https://suite.example.net/test/post_logout_redirect'
const backchannelLogoutUri = 'https://suite.example.net/test/backchannel_logout'

/** The modules of the suite's plan `oidcc-backchannel-rp-initiated-logout-certification-test-plan` (oidc.md 1.5). */
describeEachDialect('oidcc-backchannel-rp-initiated-logout-certification-test-plan', (dialect) => {
  const apps = appsPerTest()

  test('oidcc-backchannel-logout-discovery-endpoint-verification', async () => {
    const app = await apps.open({ ...providerOptions, dialect })
    expect(await (await app.request('GET', '/.well-known/openid-configuration')).json()).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      end_session_endpoint: `${issuer}/end-session`,
    })
  })

  test('oidcc-backchannel-rp-initiated-logout', async () => {
    const endpoints = fakeEndpoints()
    const app = await apps.open({ ...providerOptions, dialect, replace: { outgoing: () => endpoints.outgoing } })
    await app.signUp(user.username, user.password)
    const client = await registerClient(app, {
      requiresPkce: false,
      postLogoutRedirectUris: [bye],
      backchannelLogoutUri,
    })
    const rp = relyingParty(app, client)
    const browser = createBrowser(app)
    const { tokens, claims } = await wholeFlow(rp, browser)
    const query = new URLSearchParams({
      id_token_hint: tokens.id_token!,
      post_logout_redirect_uri: bye,
      state: state128,
    })
    expect((await browser.open(`/end-session?${query}`)).url.toString()).toBe(`${bye}?state=${state128}`)
    await app.process.deliverLogouts()

    const [told] = endpoints.received
    expect([endpoints.received.length, told?.url]).toEqual([1, backchannelLogoutUri])
    expect([...new URLSearchParams(told!.body).keys()]).toEqual(['logout_token'])
    const keys = (await (await app.request('GET', '/.well-known/jwks.json')).json()) as JSONWebKeySet
    const currentDate = new Date(app.clock.now())
    const { payload } = await jwtVerify(told!.token, createLocalJWKSet(keys), {
      issuer,
      audience: client.id,
      currentDate,
    })
    expect(decodeProtectedHeader(told!.token)).toMatchObject({ alg: 'RS256', typ: 'logout+jwt' })
    expect(payload).toMatchObject({
      sub: claims.sub,
      sid: claims.sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    expect([typeof payload.jti, payload.iat, 'nonce' in payload]).toEqual([
      'string',
      Math.floor(app.clock.now() / 1000),
      false,
    ])
    expect(rp.answer(await browser.open(rp.address({ prompt: 'none' })))).toMatchObject({ error: 'login_required' })
  })
})
