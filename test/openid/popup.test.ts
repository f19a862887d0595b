import { expect, test } from 'bun:test'
import { createBrowser, providerOptions, relyingParty, signIn, user } from '../conformance/support.ts'
import { describeApp } from '../support/hooks.ts'
import { registerClient } from './support.ts'

describeApp('15 a sign-in in a popup', providerOptions, (app) => {
  test('keeps the window that opened it, on the pages that lead to an application and on no other', async () => {
    await app.signUp(user.username, user.password)
    const rp = relyingParty(app, await registerClient(app, { requiresPkce: false }))
    const browser = createBrowser(app)
    const opener = async (shown: Promise<{ headers: Headers; title: string }>) =>
      (await shown).headers.get('cross-origin-opener-policy')
    expect(await opener(browser.open('/forgot'))).toBe('same-origin')
    expect(await opener(browser.open(rp.address()))).toBeNull()
    expect(browser.screen().forms.some(({ fields }) => 'password' in fields)).toBe(true)
    expect(await opener(signIn(browser, browser.screen()))).toBeNull()
    expect(browser.screen().forms.some(({ fields }) => fields.decision === 'allow')).toBe(true)
    expect(await opener(browser.open('/end-session'))).toBe('same-origin')
  })
})
