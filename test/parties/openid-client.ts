import * as oidc from 'openid-client'
import type { RegisteredClient } from '../conformance/support.ts'
import type { Screen, TestBrowser } from '../support/browser.ts'

/** A web application that uses openid-client, and checks the signature of the ID token too. */
export async function webApp(
  issuer: string,
  client: RegisteredClient,
  { fetch, authentication }: { fetch: oidc.CustomFetch; authentication?: oidc.ClientAuth },
) {
  const config = await oidc.discovery(
    new URL(issuer),
    client.id,
    undefined,
    authentication ?? (client.secret === '' ? oidc.None() : oidc.ClientSecretBasic(client.secret)),
    { [oidc.customFetch]: fetch, execute: [oidc.enableNonRepudiationChecks] },
  )

  return {
    config,
    /** Sends the browser away with state, nonce and PKCE, and exchanges the code that it brings back. */
    async signIn(browser: TestBrowser, settle: (screen: Screen) => Promise<Screen>, scope: string) {
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
      const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
      const address = oidc.buildAuthorizationUrl(config, {
        redirect_uri: client.redirectUri,
        scope,
        state: expectedState,
        nonce: expectedNonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      })
      const { url } = await settle(await browser.open(address.href))
      return oidc.authorizationCodeGrant(config, url, {
        ...{ pkceCodeVerifier, expectedState, expectedNonce },
        idTokenExpected: true,
      })
    },
    userinfo: (tokens: { access_token: string }, sub: string) => oidc.fetchUserInfo(config, tokens.access_token, sub),
    refresh: (token: string) => oidc.refreshTokenGrant(config, token),
    /** Where the browser goes to sign out. */
    endSession: (idToken: string, back: string) =>
      oidc.buildEndSessionUrl(config, { id_token_hint: idToken, post_logout_redirect_uri: back, state: 'bye' }).href,
  }
}
