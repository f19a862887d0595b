import { expect, test } from 'bun:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { registerClient } from '../openid/support.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import {
  createBrowser,
  decodeClaims,
  issuer,
  providerOptions,
  relyingParty,
  state128,
  user,
  wholeFlow,
} from './support.ts'

const bye = 'https://suite.example.net/test/post_logout_redirect'

/** The modules of the suite's plan `oidcc-rp-initiated-logout-certification-test-plan` (oidc.md 1.4). */
describeEachDialect('oidcc-rp-initiated-logout-certification-test-plan', (dialect) => {
  const app = appPerTest({ ...providerOptions, dialect })

  /** Signs in, and goes to the end session endpoint with these parameters. */
  async function logOut(changed: (hint: string) => Record<string, string | undefined>) {
    await app.signUp(user.username, user.password)
    const client = await registerClient(app, { requiresPkce: false, postLogoutRedirectUris: [bye] })
    const rp = relyingParty(app, client)
    const browser = createBrowser(app)
    const { tokens } = await wholeFlow(rp, browser)
    const usual = { id_token_hint: tokens.id_token!, post_logout_redirect_uri: bye, state: state128 }
    const sent = Object.entries({ ...usual, ...changed(tokens.id_token!) }).filter(([, value]) => value !== undefined)
    const screen = await browser.open(`/end-session?${new URLSearchParams(sent as [string, string][])}`)
    return { rp, browser, screen }
  }

  /** The suite's last step: nobody is signed in any more. */
  async function expectSignedOut({ rp, browser }: Awaited<ReturnType<typeof logOut>>) {
    const screen = await browser.open(rp.address({ prompt: 'none' }))
    expect(rp.answer(screen)).toMatchObject({ error: 'login_required' })
  }

  test('oidcc-rp-initiated-logout-discovery-endpoint-verification', async () => {
    const metadata = await (await app.request('GET', '/.well-known/openid-configuration')).json()
    expect(metadata).toMatchObject({ end_session_endpoint: `${issuer}/end-session` })
  })

  test('oidcc-rp-initiated-logout', async () => {
    const done = await logOut(() => ({}))
    expect(done.screen.url.toString()).toBe(`${bye}?state=${state128}`)
    await expectSignedOut(done)
  })

  test('oidcc-rp-initiated-logout-no-state', async () => {
    const done = await logOut(() => ({ state: undefined }))
    expect(done.screen.url.toString()).toBe(bye)
    await expectSignedOut(done)
  })

  const altered = (hint: string): string => {
    const [, payload] = hint.split('.')
    return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
  }
  const foreign = async (hint: string): Promise<string> => {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    await exportJWK(publicKey)
    return new SignJWT(decodeClaims(hint))
      .setProtectedHeader({ alg: 'RS256', kid: 'other', typ: 'JWT' })
      .sign(privateKey)
  }

  test.each<[string, (hint: string) => Record<string, string | undefined>]>([
    ['bad-post-logout-redirect-uri', () => ({ post_logout_redirect_uri: 'https://evil.example/bye' })],
    ['query-added-to-post-logout-redirect-uri', () => ({ post_logout_redirect_uri: `${bye}?foo=bar` })],
    ['modified-id-token-hint', (hint) => ({ id_token_hint: altered(hint) })],
    ['no-id-token-hint', () => ({ id_token_hint: undefined })],
    ['no-params', () => ({ id_token_hint: undefined, post_logout_redirect_uri: undefined, state: undefined })],
    ['only-state', () => ({ id_token_hint: undefined, post_logout_redirect_uri: undefined })],
  ])('oidcc-rp-initiated-logout-%s: shows a page and calls no address, also after the button', async (_, changed) => {
    const done = await logOut(changed)
    expect(done.screen.isAway).toBe(false)
    const after = await done.browser.submit()
    expect([after.isAway, after.status]).toEqual([false, 200])
    await expectSignedOut(done)
  })

  test('oidcc-rp-initiated-logout-bad-id-token-hint', async () => {
    let hint = ''
    const done = await logOut((own) => {
      hint = own
      return { id_token_hint: undefined, post_logout_redirect_uri: undefined, state: undefined }
    })
    const query = new URLSearchParams({ id_token_hint: await foreign(hint), post_logout_redirect_uri: bye })
    expect((await done.browser.open(`/end-session?${query}`)).isAway).toBe(false)
    expect((await done.browser.submit()).isAway).toBe(false)
  })

  test('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', async () => {
    const done = await logOut(() => ({ post_logout_redirect_uri: undefined }))
    expect([done.screen.isAway, done.screen.status]).toEqual([false, 200])
    await expectSignedOut(done)
  })
})
