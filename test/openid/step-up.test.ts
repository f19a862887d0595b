import { expect, test } from 'bun:test'
import type { CredentialKind, RequestOptionsJson } from '../../src/features/factors/factors.ts'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { decodeClaims, issuer, providerOptions, relyingParty, settle, user } from '../conformance/support.ts'
import { createBrowser, type Screen, type TestBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { type ClientOptions, registerClient } from './support.ts'

describeApp('a sign-in that an application wants at a higher level', providerOptions, (app) => {
  async function start(more: ClientOptions = {}) {
    const { id } = await app.signUp(user.username, user.password)
    const client = await registerClient(app, { name: 'Shop', requiresPkce: false, isTrusted: true, ...more })
    const rp = relyingParty(app, client)
    const browser = createBrowser(app)
    /** Ends the flow: the claims of the ID token. */
    const claims = async (screen: Screen) => {
      const response = await rp.exchange(rp.answer(screen).code!)
      const { id_token, access_token } = (await response.json()) as { id_token: string; access_token: string }
      expect(decodeClaims(access_token).acr).toBe(decodeClaims(id_token).acr)
      return decodeClaims(id_token)
    }
    const logIn = async () => {
      await browser.open('/sign-in')
      return browser.submit(user, ({ fields }) => 'password' in fields)
    }
    return { id, client, rp, browser, claims, logIn }
  }

  /** What the script of the page does. */
  async function prove(browser: TestBrowser, page: Screen, device: { get(options: RequestOptionsJson): unknown }) {
    const answer = await browser.post('/sign-in/step-up/options', { request: page.forms[0]!.fields.request! })
    const { options } = (await answer.json()) as { options: RequestOptionsJson }
    return browser.send(page, { credential: JSON.stringify(device.get(options)) })
  }

  const back = ({ html, url }: Screen) => new URL(/href="([^"]*authorize\/resume[^"]*)"/.exec(html)![1]!, url).href
  const unmet = { error: 'unmet_authentication_requirements', state: 'a state', iss: issuer }

  test('a session at aal1 shows its second factor on a page, and the ID token says so', async () => {
    const { id, rp, browser, claims, logIn } = await start()
    await logIn()
    const phone = await app.factors.addApp(id)
    const first = await claims(await browser.open(rp.address()))
    expect(first).toMatchObject({ acr: 'aal1', amr: ['pwd'] })
    app.clock.advance(5 * MINUTE)
    const page = await browser.open(rp.address({ acr_values: 'aal2' }))
    expect([page.title, page.html.includes('Shop asks for a second factor.')]).toEqual(['Confirm that it is you', true])
    expect((await browser.send(page, { otp: '000000' })).status).toBe(400)
    const second = await claims(await browser.send(page, { otp: phone.code() }))
    expect(second).toMatchObject({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'], auth_time: app.clock.now() / SECOND })
    // Nobody is asked again: neither by the page, nor when another application wants the same.
    expect(await claims(await browser.open(rp.address({ acr_values: 'aal2', prompt: 'none' })))).toMatchObject({
      acr: 'aal2',
    })
  })

  test.each([
    ['passkey', 'phr'],
    ['security_key', undefined],
  ] as [CredentialKind, string | undefined][])('a %s reaches phr: %p', async (kind, reached) => {
    const { id, rp, browser, claims, logIn } = await start()
    await logIn()
    await app.factors.addApp(id)
    const device = await app.factors.addPasskey(id, { kind })
    const page = await browser.open(rp.address({ acr_values: 'phr' }))
    expect(page.html).toContain('Shop asks for a passkey.')
    // An authenticator app is no way to this level.
    expect(page.html).not.toContain('authenticator app')
    const end = await prove(browser, page, device)
    if (reached === undefined) return expect(rp.answer(end)).toMatchObject(unmet)
    expect(await claims(end)).toMatchObject({ acr: reached })
  })

  test('whoever has no such factor may add one or go back, and the application is told', async () => {
    const { id, rp, browser } = await start({ requiredAcr: 'aal2' })
    const page = await settle(browser, await browser.open(rp.address()))
    expect([page.title, page.html.includes('Shop asks for a second factor.')]).toEqual(['Protect your account', true])
    expect(rp.answer(await browser.open(back(page)))).toMatchObject(unmet)
    // An authenticator app is not enough for a passkey.
    await app.factors.addApp(id)
    const passkey = await browser.open(rp.address({ acr_values: 'phr' }))
    expect(passkey.html).toContain('Shop asks for a passkey.')
    expect(rp.answer(await browser.open(back(passkey)))).toMatchObject(unmet)
  })

  test('a login for a client that requires a level asks for the factor at once', async () => {
    const { id, rp, browser, claims } = await start({ requiredAcr: 'aal2' })
    const phone = await app.factors.addApp(id)
    const second = await settle(browser, await browser.open(rp.address({ max_age: '60' })))
    expect(second.path).toStartWith('/sign-in/second')
    const end = await browser.send(second, { otp: phone.code() })
    expect(await claims(end)).toMatchObject({ acr: 'aal2' })
    // An old session shows everything again, the factor too.
    app.clock.advance(2 * MINUTE)
    const again = await settle(browser, await browser.open(rp.address({ max_age: '60' })))
    expect(again.path).toStartWith('/sign-in/second')
    expect(await claims(await browser.send(again, { otp: phone.code() }))).toMatchObject({
      acr: 'aal2',
      auth_time: app.clock.now() / SECOND,
    })
  })

  test('RFC 8628: a device waits until its user has shown the factor', async () => {
    const grant = 'urn:ietf:params:oauth:grant-type:device_code'
    const { id, client, browser, logIn } = await start({
      isPublic: true,
      isTrusted: false,
      requiresPkce: true,
      grantTypes: ['refresh_token', grant],
      requiredAcr: 'aal2',
    })
    await logIn()
    const phone = await app.factors.addApp(id)
    const form = { client_id: client.id, scope: 'openid' }
    const codes = (await (await app.request('POST', '/device_authorization', { form })).json()) as Record<
      string,
      string
    >
    await browser.open(codes.verification_uri_complete!)
    const page = await browser.submit()
    expect(page.html).toContain('Shop asks for a second factor.')
    await browser.send(page, { otp: phone.code() })
    expect((await browser.submit()).html).toContain('Shop')
    expect((await browser.submit({}, ({ fields }) => fields.decision === 'allow')).status).toBe(200)
    const poll = { grant_type: grant, client_id: client.id, device_code: codes.device_code! }
    const tokens = (await (await app.request('POST', '/token', { form: poll })).json()) as { id_token: string }
    expect(decodeClaims(tokens.id_token)).toMatchObject({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
  })
})
