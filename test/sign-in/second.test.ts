import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { audit } from '../sessions/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'

describeApp('the page for the second factor of a login', {}, (app) => {
  test('asks for a code after the password, refuses wrong ones at the field, and leads to where the login began', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const browser = createBrowser(app)
    const asked = await browser.send(await browser.open('/account/profile'), {
      username: ada.username,
      password: ada.password,
      remember: 'on',
    })
    expect([asked.title, asked.path.split('?')[0]]).toEqual(['Confirm your login', '/sign-in/second'])
    expect(browser.cookies.get('keyward-second')).toStartWith('kwf_')
    expect(browser.cookies.has('keyward')).toBe(false)
    // Half a login is no session (M4), and the page has no name and no token.
    expect(await browser.open('/account')).toMatchObject({ title: 'Log in' })
    expect(asked.html).not.toMatch(/kwf_|ada/)
    expect(asked.html).toContain('autocomplete="one-time-code"')
    expect(asked.html).toContain('inputmode="numeric"')
    expect(asked.headers.get('content-security-policy')).not.toContain('script-src')

    for (const [otp, status, says] of [
      ['', 422, 'Enter the code.'],
      ['12345', 400, 'This code is not valid.'],
      ['1234567', 400, 'This code is not valid.'],
      ['000000', 400, 'This code is not valid.'],
    ] as const) {
      const again = await browser.send(asked, { otp })
      expect([otp, again.status, again.title]).toEqual([otp, status, 'Confirm your login'])
      expect(again.html).toContain(says)
      expect(again.html).toContain('aria-invalid="true"')
    }
    // Only six digits are an answer: the others were not counted.
    expect(await audit(app, 'mfa.failed')).toHaveLength(1)
    // As people type it, with a space, and in full width.
    const code = phone.code()
    const typed = `${code.slice(0, 3)} ${[...code.slice(3)].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join('')}`
    const shown = await browser.send(asked, { otp: typed })
    expect([shown.path, shown.status]).toEqual(['/account/profile', 200])
    expect(browser.cookies.has('keyward-second')).toBe(false)
    const [session] = (await app.rows.sessions.all()).filter(({ kind }) => kind === 'browser')
    expect(session).toMatchObject({ amr: 'pwd otp mfa', isRemembered: true })
    // The login is over, and the code is used.
    const late = await browser.send(asked, { otp: phone.code(1) })
    expect([late.status, late.title]).toEqual([400, 'This login has expired'])
  })

  test('shows one way and links to the others; a recovery code works in every spelling', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const [code] = await app.factors.makeCodes(ada.id)
    const browser = createBrowser(app)
    const asked = await browser.logIn(ada)
    const link = /<a href="([^"]*way=recovery_code)"/.exec(asked.html)![1]!.replaceAll('&amp;', '&')
    const other = await browser.open(`/sign-in/${link}`)
    expect(other.html).toContain('name="recovery_code"')
    expect(other.html).toContain('way=totp')
    const wrong = await browser.send(other, { recovery_code: 'aaaa-bbbb-cccc-dddd' })
    expect([wrong.status, wrong.html]).toEqual([400, expect.stringContaining('This recovery code is not valid')])
    // The page keeps the way that was chosen.
    expect(wrong.html).toContain('name="recovery_code"')
    const shown = await browser.send(wrong, { recovery_code: ` ${code!.toUpperCase().replaceAll('-', ' ')}` })
    expect([shown.path, shown.status]).toEqual(['/account', 200])
    const later = createBrowser(app)
    const unknown = await later.logIn(ada)
    expect(unknown.path).toStartWith('/sign-in/second')
    expect((await later.send(unknown, { way: 'webauthn', credential: '{' })).status).toBe(400)
    expect((await later.send(unknown, { otp: phone.code() })).path).toBe('/account')
  })

  test('ends after five minutes and after five wrong codes, and then leads to the login', async () => {
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    const browser = createBrowser(app)
    const asked = await browser.logIn(ada)
    await app.clock.advance(5 * MINUTE + SECOND)
    for (const shown of [await browser.open(asked.path), await browser.send(asked, { otp: '000000' })]) {
      expect([shown.title, shown.status]).toEqual(['This login has expired', 400])
      const again = /<a class="button" href="([^"]+)"/.exec(shown.html)![1]!
      expect((await browser.open(`/sign-in/${again}`)).title).toBe('Log in')
    }
    const second = await browser.logIn(ada)
    for (let count = 0; count < 5; count++) expect((await browser.send(second, { otp: '000000' })).status).toBe(400)
    expect((await browser.send(second, { otp: '000000' })).title).toBe('This login has expired')
  })

  test('takes no login of another browser, of a program, or without its request', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const [browser, other] = [createBrowser(app), createBrowser(app)]
    const asked = await browser.logIn(ada)
    await other.open('/sign-in')
    const form = { otp: phone.code(), way: 'totp' }
    // Another browser has the sealed request, or the token, but not both.
    const request = new URL(asked.path, 'http://x').searchParams.get('request')!
    expect((await other.post('/sign-in/second', { ...form, request })).status).toBe(403)
    other.cookies.set('keyward-second', browser.cookies.get('keyward-second')!)
    expect((await other.post('/sign-in/second', { ...form, request })).status).toBe(403)
    // A program's login gets no cookie here, and the page's login no tokens there.
    const json = { mfa_token: browser.cookies.get('keyward-second'), otp: phone.code() }
    expect((await app.request('POST', '/token/mfa', { json })).status).toBe(400)
    const refused = await app.request('POST', '/token', { form: { username: ada.username, password: ada.password } })
    const { mfa_token: token } = (await refused.json()) as { mfa_token: string }
    const page = await other.logIn(ada)
    other.cookies.set('keyward-second', token)
    expect((await other.open(page.path)).title).toBe('This login has expired')
    expect((await other.send(page, form)).title).toBe('This login has expired')
    expect((await browser.send(asked, form)).path).toBe('/account')
  })
})
