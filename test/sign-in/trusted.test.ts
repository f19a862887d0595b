import { expect, test } from 'bun:test'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import { createBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'

const box = /<input type="checkbox" id="trust"/
const env = { TRUSTED_DEVICE_DAYS: '14', PUBLIC_URL: 'https://auth.example.com' }

describeApp('a device that is trusted on a page', { env }, (app) => {
  test('F43 gets a cookie with a fixed end, is not asked for the second factor at a login, and stays at one factor', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    await app.factors.makeCodes(ada.id)
    const browser = createBrowser(app)
    const asked = await browser.logIn(ada)
    expect(asked.html).toMatch(box)
    expect(asked.html).toContain('Do not ask on this device for 14 days')
    // The box stays as it was after a wrong code.
    expect((await browser.send(asked, { otp: '000000', trust: 'on' })).html).toMatch(/id="trust" name="trust" checked/)
    const { action, fields } = asked.forms[0]!
    const answer = await browser.post(new URL(action, asked.url).pathname, {
      ...fields,
      otp: phone.code(),
      trust: 'on',
    })
    expect(answer.status).toBe(303)
    const cookie = answer.headers.getSetCookie().find((header) => header.startsWith('__Host-keyward-trusted='))
    expect(cookie).toMatch(
      /^__Host-keyward-trusted=kwt_[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=1209600; Secure$/,
    )
    const token = browser.cookies.get('__Host-keyward-trusted')!
    await app.clock.advance(14 * DAY - 1)
    // A browser that was closed, and one that knows nothing but the cookie.
    browser.forget('__Host-keyward')
    const login = await browser.open('/sign-in')
    const { action: to, fields: own } = login.forms[0]!
    const passed = await browser.post(new URL(to, login.url).pathname, {
      ...own,
      username: ada.username,
      password: ada.password,
    })
    expect([passed.status, passed.headers.get('location')]).toEqual([303, expect.stringContaining('account')])
    expect(passed.headers.getSetCookie().join()).not.toContain('keyward-trusted')
    expect((await app.rows.sessions.all({ amr: 'pwd device' })).length).toBe(1)
    // The page asks for the second factor before a change.
    expect((await browser.open('/account/security')).html).toContain('/sign-in/step-up')
    // JSON routes read no cookie, and another user of this browser is asked.
    const bea = await app.signUp('bea')
    await app.factors.addApp(bea.id)
    browser.forget('__Host-keyward')
    expect((await browser.logIn(bea)).path).toStartWith('/sign-in/second')
    await app.clock.advance(1)
    browser.forget('__Host-keyward')
    browser.cookies.set('__Host-keyward-trusted', token)
    expect((await browser.logIn(ada)).path).toStartWith('/sign-in/second')
  })

  test('F43 is listed on the page of the account, which ends the trust in one or in all', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const agents = ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'curl/8.5.0', 'x/1']
    const browsers = agents.map((agent) => createBrowser(app, { headers: { 'user-agent': agent } }))
    for (const browser of browsers) {
      await app.clock.advance(MINUTE)
      await browser.send(await browser.logIn(ada), { otp: phone.code(), trust: 'on' })
    }
    const [browser, ...others] = browsers
    const page = await browser!.open('/account/security')
    for (const text of ['Trusted devices', 'Firefox on Linux', 'curl', 'End the trust in all'])
      expect(page.html).toContain(text)
    const ends = page.forms.filter(({ fields }) => fields.do === 'untrust')
    expect(ends).toHaveLength(3)
    const isFirst = ({ fields }: (typeof ends)[number]) => fields.device === ends[0]!.fields.device
    const ended = await browser!.send(page, {}, isFirst)
    expect(ended.path).toBe('/account/security?untrusted')
    expect(ended.html).toContain('The next login there asks for the second factor.')
    // A page that was left open.
    const late = await browser!.send(page, {}, isFirst)
    expect([late.status, late.html.includes('The next login there asks for the second factor.')]).toEqual([404, true])
    browser!.forget('__Host-keyward')
    expect((await browser!.logIn(ada)).path).toStartWith('/sign-in/second')
    others[0]!.forget('__Host-keyward')
    expect((await others[0]!.logIn(ada)).path).toBe('/account')
    const list = await others[0]!.open('/account/security')
    const none = await others[0]!.send(list, {}, ({ fields }) => fields.do === 'untrust-all')
    expect(none.html).not.toContain('Trusted devices')
    others[1]!.forget('__Host-keyward')
    expect((await others[1]!.logIn(ada)).path).toStartWith('/sign-in/second')
  })

  test('F43 has no box for a recovery code, for an administrator, and where the setting is off', async () => {
    const ada = await app.signUp()
    await app.factors.addApp(ada.id)
    await app.factors.makeCodes(ada.id)
    const browser = createBrowser(app)
    const asked = await browser.logIn(ada)
    const link = /<a href="([^"]*way=recovery_code)"/.exec(asked.html)![1]!.replaceAll('&amp;', '&')
    expect((await browser.open(`/sign-in/${link}`)).html).not.toMatch(box)
    await app.admin.giveRole(ada.id, 'admin')
    expect((await browser.open(asked.path)).html).not.toMatch(box)
    await app.factors.addPasskey(ada.id)
    expect((await browser.open(asked.path)).html).not.toMatch(box)
    const bea = await app.signUp('bea')
    await app.factors.addPasskey(bea.id, { kind: 'security_key' })
    const second = await createBrowser(app).logIn(bea)
    expect(second.html).toMatch(/data-webauthn="get"[\s\S]*id="trust"[\s\S]*<\/form>/)
  })
})

describeApp('a login on a page without trusted devices', {}, (app) => {
  test('F43 has no box, and one that is sent all the same trusts nothing', async () => {
    const ada = await app.signUp()
    const phone = await app.factors.addApp(ada.id)
    const browser = createBrowser(app)
    const asked = await browser.logIn(ada)
    expect(asked.html).not.toMatch(box)
    expect((await browser.send(asked, { otp: phone.code(), trust: 'on' })).path).toBe('/account')
    expect([browser.cookies.has('keyward-trusted'), await app.rows.trustedDevices.count()]).toEqual([false, 0])
  })
})
