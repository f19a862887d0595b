import { describe, expect, test } from 'bun:test'
import type { CreationOptionsJson, RequestOptionsJson } from '../../src/features/factors/webauthn/options.ts'
import { DAY, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { softAuthenticator } from '../support/authenticator.ts'
import { createBrowser, type Screen } from '../support/browser.ts'
import { appPerTest, describeApp, withApp } from '../support/hooks.ts'
import { appOf, codesOf, to, useKey } from './support.ts'

const STEP = 30 * SECOND

describeApp('the page of the second factors of an account', { mailbox: true }, (app) => {
  test('adds an app with its first code, shows the recovery codes once, and ends all other sessions', async () => {
    const ada = await app.signUp()
    const [browser, other] = [createBrowser(app), createBrowser(app)]
    await other.logIn(ada)
    await browser.logIn(ada, { remember: 'on' })
    const page = await browser.open('/account/security')
    expect(page.html).toContain('Only your password protects your account')
    const scan = await browser.send(page, {}, to('totp'))
    expect(scan.title).toBe('Add an authenticator app')
    expect(scan.html).toContain('data:image/svg+xml')
    const code = appOf(scan)
    const wrong = await browser.send(scan, { code: '000000' })
    expect([wrong.status, wrong.html.includes('This code is not valid.')]).toEqual([400, true])
    // The same picture, although the service shows a secret only once.
    expect(appOf(wrong)(0)).toBe(code(0))
    const before = browser.cookies.get('keyward')
    const saved = await browser.send(wrong, { code: code(app.clock.now()) })
    expect([saved.status, saved.title, codesOf(saved)]).toEqual([200, 'Save these codes', expect.any(Array)])
    expect(new Set(codesOf(saved)).size).toBe(10)
    expect(saved.headers.get('cache-control')).toBe('no-store')
    expect(saved.html).toContain('download="recovery-codes.txt"')
    // The session goes on at the higher level with another cookie; all others are over.
    expect(browser.cookies.get('keyward')).not.toBe(before)
    expect(await app.rows.sessions.one({ kind: 'browser', endedAt: null })).toMatchObject({ amr: 'pwd otp mfa' })
    expect((await other.open('/account')).title).toBe('Log in')
    other.cookies.set('keyward', before!)
    expect((await other.open('/account')).title).toBe('Log in')
    const list = await browser.open('/account/security?added')
    expect(list.html).toContain('Added. All other devices are logged out.')
    expect(list.html).toContain('10 codes are left.')
    expect(codesOf(list)).toEqual([])
    // The code of the confirmation is used; a recovery code works.
    const late = createBrowser(app)
    const asked = await late.logIn(ada)
    expect((await late.send(asked, { otp: code(app.clock.now()) })).status).toBe(400)
    const shown = await late.send(asked, { way: 'recovery_code', recovery_code: codesOf(saved)[0]! })
    expect(shown.path).toBe('/account')
    expect((await late.open('/account/security')).html).toContain('9 codes are left.')
  })

  test('adds a passkey and a security key, and names what is not accepted', async () => {
    const ada = await app.signUp()
    const [phone, key] = [{}, { verifiesUser: false, synced: false }].map((more) =>
      softAuthenticator({ origin: 'http://localhost:8000', ...more }),
    ) as [ReturnType<typeof softAuthenticator>, ReturnType<typeof softAuthenticator>]
    const browser = createBrowser(app)
    await browser.logIn(ada)
    const page = await browser.open('/account/security')
    expect(page.headers.get('content-security-policy')).toContain("connect-src 'self'")
    const passkey = { form: to('register', 'passkey') }
    const wrong = await useKey(
      browser,
      page,
      (options: CreationOptionsJson) => phone.create(options, { origin: 'https://evil.example' }),
      passkey,
    )
    expect([wrong.status, wrong.html.includes('It was not added')]).toEqual([400, true])
    const codes = await useKey(browser, wrong, (options: CreationOptionsJson) => phone.create(options), passkey)
    expect([codes.title, codesOf(codes).length]).toEqual(['Save these codes', 10])
    expect(await app.rows.sessions.one({ kind: 'browser', endedAt: null })).toMatchObject({ amr: 'pwd swk mfa' })
    const list = await browser.open('/account/security')
    expect(list.html).toContain('synchronised')
    const added = await useKey(browser, list, (options: CreationOptionsJson) => key.create(options), {
      form: to('register', 'security_key'),
    })
    expect([added.path, added.html.includes('Security key')]).toEqual(['/account/security?added', true])
    expect(await app.rows.passkeys.all()).toMatchObject([{ kind: 'passkey' }, { kind: 'security_key' }])
    // The script gets no options after a while, and loads the page again, which says what to do.
    await app.passTime(16 * MINUTE)
    const form = added.forms.find(passkey.form)!
    expect((await browser.post('/account/security/options', form.fields)).status).toBe(401)
    const stale = await browser.open('/account/security')
    const proof = await browser.open(new URL(/href="([^"]*step-up[^"]*)"/.exec(stale.html)![1]!, stale.url).href)
    const back = await useKey(browser, proof, (options: RequestOptionsJson) => phone.get(options))
    expect([back.path, back.forms.some(passkey.form)]).toEqual(['/account/security', true])
    const last = await app.rows.sessions.one({ kind: 'browser', endedAt: null })
    expect(last).toMatchObject({ amr: 'pwd swk hwk user mfa' })
  })

  test('renames and removes a factor; the removal wants the password, and the last one takes the codes along', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    await app.factors.makeCodes(ada.id)
    const browser = createBrowser(app)
    await browser.send(await browser.logIn(ada), { otp: phone.code() })
    const list = await browser.open('/account/security')
    const link = /href="([^"]*security\?id=t\d+)"/.exec(list.html)![1]!
    const page = await browser.open(new URL(link, list.url).href)
    expect(page.title).toBe('Phone')
    const bad = await browser.send(page, { name: ' ' }, to('rename'))
    expect([bad.status, bad.html.includes('This name cannot be used.')]).toEqual([422, true])
    const renamed = await browser.send(page, { name: 'Old <phone>' }, to('rename'))
    expect([renamed.path, renamed.html.includes('Old &lt;phone>')]).toEqual(['/account/security?renamed', true])
    for (const [password, status, says] of [
      ['', 422, 'Enter your password.'],
      ['wrong', 403, 'This is not your password.'],
    ] as const) {
      const again = await browser.send(page, { password }, to('remove'))
      expect([again.status, again.title, again.html.includes(says)]).toEqual([status, 'Old &lt;phone>', true])
    }
    const removed = await browser.send(page, { password: ada.password }, to('remove'))
    expect([removed.path, removed.html.includes('Only your password protects')]).toEqual([
      '/account/security?removed',
      true,
    ])
    expect([await app.rows.totpFactors.count(), await app.rows.recoveryCodes.count()]).toEqual([0, 0])
    const gone = await browser.send(page, { password: ada.password }, to('remove'))
    expect([gone.status, gone.html.includes('It was removed already.')]).toEqual([404, true])
  })

  test('makes new recovery codes, and the former ones are void', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const [former] = await app.factors.makeCodes(ada.id)
    const browser = createBrowser(app)
    await browser.send(await browser.logIn(ada), { otp: phone.code() })
    const saved = await browser.send(await browser.open('/account/security'), {}, to('codes'))
    expect([saved.title, codesOf(saved).length]).toEqual(['Save these codes', 10])
    expect(codesOf(saved)).not.toContain(former)
    const later = createBrowser(app)
    const asked = await later.logIn(ada)
    expect((await later.send(asked, { way: 'recovery_code', recovery_code: former! })).status).toBe(400)
  })

  test('asks who one is before a change, with the second factor once there is one, and comes back', async () => {
    const ada = await app.signUp()
    const browser = createBrowser(app)
    await browser.logIn(ada, { remember: 'on' })
    const list = await browser.open('/account/security')
    await app.passTime(16 * MINUTE)
    const late = await browser.send(list, {}, to('totp'))
    expect(late.status).toBe(401)
    const link = (screen: Screen) => new URL(/href="([^"]*step-up\?request=[^"]*)"/.exec(screen.html)![1]!, screen.url)
    const asks = await browser.open(link(late).href)
    expect([asks.title, asks.html.includes('current-password')]).toEqual(['Confirm that it is you', true])
    for (const [password, status] of [
      ['', 422],
      ['wrong', 403],
    ] as const)
      expect((await browser.send(asks, { password })).status).toBe(status)
    const back = await browser.send(asks, { password: ada.password })
    expect([back.path, back.html.includes('Add an authenticator app')]).toEqual(['/account/security', true])
    expect((await browser.send(back, {}, to('totp'))).title).toBe('Add an authenticator app')

    const phone = await app.factors.addApp(ada.id)
    await app.passTime(16 * MINUTE)
    for (const path of ['/account/security', '/account/password', '/account/address', '/account/delete']) {
      const page = await browser.open(path)
      const proof = await browser.open(link(page).href)
      // The password alone is not enough any more, and no field asks for it.
      expect([path, proof.html.includes('name="password"'), proof.forms[0]!.fields.way]).toEqual([path, false, 'totp'])
    }
    const proof = await browser.open(link(await browser.open('/account/address')).href)
    expect((await browser.send(proof, { otp: '000000' })).status).toBe(400)
    const shown = await browser.send(proof, { otp: phone.code() })
    expect([shown.path, shown.html.includes('name="email"')]).toEqual(['/account/address', true])
    expect(shown.html).not.toContain('name="password"')
    // The form of another browser, and one without a session, get nothing.
    const other = createBrowser(app)
    await other.open('/sign-in')
    expect((await other.send(proof, { otp: phone.code(1) })).status).toBe(403)
    browser.forget('keyward')
    await app.passTime(STEP)
    expect((await browser.send(proof, { otp: phone.code() })).title).toBe('Log in')
  })
})

describe('without passkeys', () => {
  test('no page has a form or a script for them', async () => {
    await withApp({ env: { PASSKEYS: 'off' } }, async (app) => {
      const ada = await app.signUp()
      const browser = createBrowser(app)
      const signIn = await browser.logIn(ada)
      expect(signIn.path).toBe('/account')
      for (const page of [await browser.open('/account/security'), await createBrowser(app).open('/sign-in')])
        expect([page.forms.some(({ fields }) => 'credential' in fields), page.html.includes('<script')]).toEqual([
          false,
          false,
        ])
      expect((await browser.post('/account/security/options', {})).status).toBe(404)
    })
  })
})

describe('a session that was raised', () => {
  const app = appPerTest()

  test('stays as long as before', async () => {
    const ada = await app.signUp()
    const browser = createBrowser(app)
    await browser.logIn(ada)
    await app.passTime(16 * MINUTE)
    const list = await browser.open('/account/security')
    const proof = await browser.open(new URL(/href="([^"]*step-up[^"]*)"/.exec(list.html)![1]!, list.url).href)
    const answer = await browser.post('/sign-in/step-up', { ...proof.forms[0]!.fields, password: ada.password })
    expect(answer.headers.get('set-cookie')).not.toContain('Max-Age')
    await app.passTime(DAY)
    expect((await browser.open('/account')).title).toBe('Log in')
  })
})
