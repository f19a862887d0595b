import { expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { relyingParty, settle, signIn, user, wholeFlow } from '../conformance/support.ts'
import { introspectionKey } from '../sessions/support.ts'
import { createBrowser, type PageForm, type TestBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { registerClient } from './support.ts'

const options = { env: { PUBLIC_URL: 'https://op.example.com' } }
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const other = { username: 'eve', password: 'correct horse battery' }

describeApp('what changes between the steps of a flow', options, (app) => {
  async function start(more = {}) {
    const { grant } = await app.signUp(user.username, user.password)
    const client = await registerClient(app, { requiresPkce: false, ...more })
    return { client, rp: relyingParty(app, client), browser: createBrowser(app), token: grant.access_token }
  }

  const isLogin = ({ fields }: PageForm) => 'password' in fields
  const isConsent = ({ fields }: PageForm) => fields.decision === 'allow'

  async function becomeOther(browser: TestBrowser) {
    await browser.open('/sign-out')
    await browser.submit()
    await browser.open('/sign-in')
    await browser.submit(other, isLogin)
  }

  test('U9: the answer to a consent page counts for the user whom it named, and for no other in the browser', async () => {
    const { rp, browser } = await start()
    await app.signUp(other.username, other.password)
    const page = await signIn(browser, await browser.open(rp.address()))
    const form = page.forms.find(isConsent)!
    await becomeOther(browser)
    const sent = await app.request('POST', '/consent', {
      form: { ...form.fields },
      headers: {
        'sec-fetch-site': 'same-origin',
        cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    })
    expect(sent.status).toBe(200)
    expect(await sent.text()).toContain(other.username)
    // The page of the new user works.
    await browser.open(rp.address())
    expect(rp.answer(await browser.submit({}, isConsent)).code).toBeString()
  })

  test('U9, U3: a consent that is withdrawn takes its codes and its approved devices along, also if another one follows', async () => {
    const { rp, browser, token } = await start({ grantTypes: ['authorization_code', deviceGrant] })
    const code = rp.answer(await settle(browser, await browser.open(rp.address({ scope: 'openid email' })))).code!
    const asked = await app.request('POST', '/device_authorization', { form: { scope: 'openid' }, headers: rp.basic })
    const device = (await asked.json()) as { user_code: string; device_code: string }
    await browser.open('/device')
    await browser.submit({ user_code: device.user_code })
    await browser.submit({}, isConsent)
    const withdrawn = await app.request('DELETE', `/users/me/consents/${rp.client.id}`, { token })
    expect(withdrawn.status).toBe(204)
    const again = rp.answer(await settle(browser, await browser.open(rp.address({ scope: 'openid' })))).code!
    const late = await rp.exchange(code)
    expect([late.status, await late.json()]).toMatchObject([400, { error: 'invalid_grant' }])
    const poll = { grant_type: deviceGrant, device_code: device.device_code }
    const polled = await app.request('POST', '/token', { form: poll, headers: rp.basic })
    expect([polled.status, await polled.json()]).toMatchObject([400, { error: 'access_denied' }])
    expect((await rp.exchange(again)).status).toBe(200)
  })

  test('U12: what an administrator takes from a client stands in no further token', async () => {
    const resource = 'https://api.example.net'
    const { rp, browser, client } = await start({ resources: [resource] })
    const scope = 'openid email offline_access'
    const { tokens } = await wholeFlow(rp, browser, { scope, resource })
    const code = rp.answer(await settle(browser, await browser.open(rp.address({ scope, resource })))).code!
    await app.admin.clients.update(client.id, { scopes: ['openid', 'profile'], resources: [] })
    for (const answer of [await rp.refresh(tokens.refresh_token!), await rp.exchange(code)]) {
      const given = (await answer.json()) as { access_token: string; scope: string }
      expect(given.scope).toBe('openid')
      const claims = JSON.parse(Buffer.from(given.access_token.split('.')[1]!, 'base64url').toString())
      expect([claims.aud, claims.email]).toEqual(['https://op.example.com/userinfo', undefined])
    }
    await app.admin.clients.update(client.id, { scopes: ['profile'] })
    const nothing = await wholeFlow(rp, browser, { scope: 'profile' })
    await app.admin.clients.update(client.id, { scopes: ['groups'] })
    const none = await rp.refresh(nothing.tokens.refresh_token!)
    expect([none.status, await none.json()]).toMatchObject([400, { error: 'invalid_grant' }])
  })

  test('U5: every answer says who made it, an error and a denial too, and so does the metadata', async () => {
    const { rp, browser } = await start()
    const { issuer } = (await (await app.request('GET', '/.well-known/openid-configuration')).json()) as {
      issuer: string
    }
    expect(issuer).toBe('https://op.example.com')
    const isDeny = ({ fields }: PageForm) => fields.decision === 'deny'
    const answers = [
      await browser.open(rp.address({ prompt: 'none' })),
      await browser.open(rp.address({ response_type: 'token' })),
    ]
    await signIn(browser, await browser.open(rp.address()))
    answers.push(await browser.submit({}, isDeny), await settle(browser, await browser.open(rp.address())))
    for (const screen of answers) expect(screen.url.searchParams.getAll('iss')).toEqual([issuer])
    expect(answers.map(({ url }) => url.searchParams.get('error'))).toEqual([
      'login_required',
      'unsupported_response_type',
      'access_denied',
      null,
    ])
  })

  test('E13, U12: the tokens of a client that is disabled, or whose users lose its role, are refused at once', async () => {
    const { rp, browser, client } = await start()
    const { tokens } = await wholeFlow(rp, browser)
    const key = await introspectionKey(app)
    const isActive = async (token: string) => {
      const answer = await app.request('POST', '/introspect', { form: { token }, token: key })
      return ((await answer.json()) as { active: boolean }).active
    }
    expect(await isActive(tokens.refresh_token!)).toBe(true)
    expect((await rp.userinfo(tokens.access_token)).status).toBe(200)
    await app.admin.clients.update(client.id, { isEnabled: false })
    expect([await isActive(tokens.refresh_token!), await isActive(tokens.access_token)]).toEqual([false, false])
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401)
    await app.admin.clients.update(client.id, { isEnabled: true, requiredRole: 'admin' })
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401)
    await app.admin.clients.update(client.id, { requiredRole: null })
    expect((await rp.userinfo(tokens.access_token)).status).toBe(200)
    await app.admin.clients.remove(client.id)
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401)
  })

  test('U9: after a sign-in as another user than that of the hint the client is told, and no page asks forever', async () => {
    const { rp, browser } = await start()
    const { tokens } = await wholeFlow(rp, browser)
    await app.signUp(other.username, other.password)
    app.clock.advance(SECOND)
    const hinted = createBrowser(app)
    await hinted.open(rp.address({ id_token_hint: tokens.id_token! }))
    expect(rp.answer(await hinted.submit(other, isLogin))).toMatchObject({ error: 'login_required' })
    // A browser where another user is signed in already gets the page, and the right user gets through.
    app.clock.advance(SECOND)
    await hinted.open(rp.address({ id_token_hint: tokens.id_token! }))
    expect(rp.answer(await hinted.submit(user, isLogin)).code).toBeString()
  })

  test('U1, J2: a question about a logout lets its form go nowhere that is not registered', async () => {
    const { rp, browser } = await start({ postLogoutRedirectUris: ['https://app.example.net/bye'] })
    await wholeFlow(rp, browser)
    for (const address of [
      'javascript:alert(1)',
      'http://a!b/',
      "http://a;script-src'x'/",
      'x:y',
      'http://evil.example',
      '\r\nA: b',
    ]) {
      const query = new URLSearchParams({ client_id: rp.client.id, post_logout_redirect_uri: address })
      const screen = await browser.open(`/end-session?${query}`)
      const policy = screen.headers.get('content-security-policy')
      expect([address, screen.status, policy]).toEqual([address, 200, expect.stringContaining("form-action 'self';")])
    }
  })

  test('K1: a request that is too long to carry gets a page at once, and one of the greatest length goes through', async () => {
    const { rp, browser, client } = await start()
    const padded = (length: number) => {
      const address = `${rp.address()}&extra=`
      return address + 'x'.repeat(length - address.length + '/authorize?'.length)
    }
    expect((await browser.open(padded(8_001))).status).toBe(400)
    expect(rp.answer(await settle(browser, await browser.open(padded(8_000)))).code).toBeString()
    const line = app.logs.length
    await browser.open(rp.address({ redirect_uri: `https://evil.example/${'y'.repeat(5_000)}` }))
    const warned = app.logs.slice(line).find((text) => text.includes('redirect_uri_not_registered'))
    expect(warned).toContain(client.id)
    expect(warned!.length).toBeLessThan(1_500)
  })
})
