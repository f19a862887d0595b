import { expect, test } from 'bun:test'
import type { RequestOptionsJson } from '../../src/features/factors/webauthn/options.ts'
import { audit } from '../sessions/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { useKey } from './support.ts'

describeApp('a passkey on the page to log in', {}, (app) => {
  test('logs in without a name and a password, and keeps the browser logged in if wanted', async () => {
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    const phone = await app.factors.addPasskey(ada.id)
    const browser = createBrowser(app)
    const page = await browser.open('/account/profile')
    expect(page.html).toContain('autocomplete="username webauthn"')
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'; connect-src 'self';")
    const shown = await useKey(browser, page, (options: RequestOptionsJson) => phone.get(options), {
      fields: { remember: 'on' },
    })
    expect([shown.path, shown.status]).toEqual(['/account/profile', 200])
    const sessions = await app.rows.sessions.all({ kind: 'browser' })
    expect(sessions).toMatchObject([{ userId: ada.id, amr: 'swk user mfa', isRemembered: true }])
    expect(browser.cookies.has('keyward-device')).toBe(true)
  })

  test('that no account has, or whose answer is wrong, is said, and the form is shown again', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addPasskey(ada.id)
    const browser = createBrowser(app)
    const page = await browser.open('/sign-in')
    const wrong = await useKey(browser, page, (options: RequestOptionsJson) =>
      phone.get(options, { origin: 'https://evil.example' }),
    )
    expect([wrong.status, wrong.title]).toEqual([401, 'Log in'])
    expect(wrong.html).toContain('The passkey was not accepted')
    await app.rows.passkeys.remove({ userId: ada.id })
    const gone = await useKey(browser, page, (options: RequestOptionsJson) => phone.get(options))
    expect(gone.html).toContain('This passkey does not work here any more')
    // The browser is told which passkey it can forget.
    expect(gone.html).toContain('signalUnknownCredential')
    expect((await browser.send(page, { credential: 'x' }, 1)).status).toBe(400)
    expect(await app.rows.sessions.count({ kind: 'browser' })).toBe(0)
    expect(await audit(app, 'login.failed')).toHaveLength(2)
    // The form of another browser is refused, as one with a password is.
    const other = createBrowser(app)
    await other.open('/sign-in')
    expect((await other.send(page, { credential: '{}' }, 1)).status).toBe(403)
  })

  test('or a security key is the second factor after the password', async () => {
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    const key = await app.factors.addPasskey(ada.id, { kind: 'security_key' })
    const browser = createBrowser(app)
    const asked = await browser.logIn(ada)
    expect([asked.title, asked.forms[0]!.fields.way]).toEqual(['Confirm your login', 'webauthn'])
    expect(asked.html).toContain('way=totp')
    const wrong = await useKey(browser, asked, (options: RequestOptionsJson) =>
      key.get(options, { rpId: 'evil.example' }),
    )
    expect([wrong.status, wrong.title]).toEqual([400, 'Confirm your login'])
    expect((await useKey(browser, wrong, (options: RequestOptionsJson) => key.get(options))).path).toBe('/account')
    expect(await app.rows.sessions.one({ kind: 'browser' })).toMatchObject({ amr: 'pwd hwk mfa' })
  })
})
