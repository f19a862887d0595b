import { afterAll, beforeAll, expect, test } from 'bun:test'
import { relyingParty } from '../conformance/support.ts'
import { registerClient } from '../openid/support.ts'
import { createBrowser, type PageForm } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { type MockProvider, mockProvider } from './issuer.ts'

const options = { env: { PUBLIC_URL: 'https://op.example.com', OUTGOING_ADDRESSES: 'private' } }

describeApp('provider_hint of an authorization request', options, (app) => {
  let mock: MockProvider
  beforeAll(async () => {
    mock = await mockProvider()
  })
  afterAll(() => mock.stop())

  test('a sign-in that is needed goes straight to an enabled provider of this name, and else to the page', async () => {
    const made = { kind: 'oidc', issuer: mock.url, clientId: 'keyward', clientSecret: 's', trustsEmail: true } as const
    await app.admin.addProvider({ ...made, name: 'acme' })
    await app.admin.addProvider({ ...made, name: 'off', isEnabled: false })
    const rp = relyingParty(app, await registerClient(app, { requiresPkce: false }))
    const browser = createBrowser(app)
    for (const [hint, page] of [
      ['off', '/sign-in'],
      ['nobody', '/sign-in'],
      ['../sign-out', '/sign-in'],
      ['acme/callback', '/sign-in'],
      ['', '/sign-in'],
    ] as const)
      expect([hint, (await browser.open(rp.address({ provider_hint: hint }))).url.pathname]).toEqual([hint, page])
    const created = await browser.open(rp.address({ provider_hint: 'off', prompt: 'create' }))
    expect(created.url.pathname).toBe('/sign-up')
    expect(rp.answer(await browser.open(rp.address({ provider_hint: 'acme', prompt: 'none' }))).error).toBe(
      'login_required',
    )

    const there = await browser.open(rp.address({ provider_hint: 'acme', scope: 'openid' }))
    expect([there.isAway, there.url.href.startsWith(`${mock.url}/authorize?`)]).toEqual([true, true])
    const { code, state } = mock.authorize(there.url.href)
    const consent = await browser.open(`/social/acme/callback?${new URLSearchParams({ code, state })}`)
    expect(consent.forms.some(isConsent)).toBe(true)
    expect(rp.answer(await browser.submit({}, isConsent)).code).toBeString()
    // The user is signed in now, so nobody is asked.
    const again = rp.answer(await browser.open(rp.address({ provider_hint: 'acme', scope: 'openid' })))
    expect(again.code).toBeString()
    expect(await app.rows.users.count()).toBe(1)

    // The session ends while the user reads the page.
    await browser.open(rp.address({ provider_hint: 'acme', prompt: 'consent' }))
    browser.forget('__Host-keyward')
    expect((await browser.submit({}, isConsent)).url.href).toStartWith(`${mock.url}/authorize?`)
  })
})

const isConsent = ({ fields }: PageForm) => fields.decision === 'allow'
