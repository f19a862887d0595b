import { expect, test } from 'bun:test'
import { DAY, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { relyingParty } from '../conformance/support.ts'
import { registerClient } from '../openid/support.ts'
import type { TestApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { appOf, codesOf, to } from './support.ts'

const everybody = { REQUIRE_SECOND_FACTOR: 'all', SECOND_FACTOR_GRACE_DAYS: '7' }

async function mailedCode(app: TestApp): Promise<string> {
  await app.process.deliverMail()
  const { mails } = (await (await app.request('GET', '/dev/mailbox.json')).json()) as { mails: { text: string }[] }
  return mails.map(({ text }) => /^\s*(\d{6})$/m.exec(text)?.[1]).find((code) => code !== undefined)!
}

/** A user who has no second factor, after the days in which a login works without one. */
async function overdue(app: TestApp) {
  const ada = await app.signUp()
  await app.passTime(7 * DAY)
  return ada
}

describeApp('the page of a login that must add a second factor', { env: everybody, mailbox: true }, (app) => {
  test('asks for the code of a mail, adds an app, shows the codes, and leads to where the login began', async () => {
    const ada = await overdue(app)
    const browser = createBrowser(app)
    const start = await browser.send(await browser.open('/account/profile'), {
      username: ada.username,
      password: ada.password,
      remember: 'on',
    })
    expect([start.title, start.path.split('?')[0]]).toEqual(['Protect your account', '/sign-in/enroll'])
    expect([browser.cookies.has('keyward'), browser.cookies.has('keyward-second')]).toEqual([false, true])
    expect((await browser.open('/account')).title).toBe('Log in')
    const mail = await browser.send(start, {}, to('totp'))
    expect(mail.html).toContain('A mail with a code is on its way to you.')
    for (const [code, status] of [
      ['', 422],
      ['000000', 400],
    ] as const) {
      const again = await browser.send(mail, { code }, to('mail'))
      expect([again.status, again.html.includes('aria-invalid="true"')]).toEqual([status, true])
    }
    // Without the mail nothing is shown, not even by another form of the page.
    expect((await browser.send(mail, { do: 'confirm', id: 't1', code: '000000' }, to('mail'))).status).toBe(404)
    const scan = await browser.send(mail, { code: await mailedCode(app) }, to('mail'))
    expect(scan.title).toBe('Add an authenticator app')
    const wrong = await browser.send(scan, { code: '000000' })
    expect([wrong.status, wrong.html.includes('data:image/svg+xml')]).toEqual([400, true])
    // The code of the mail was needed once.
    const second = await browser.send(await browser.open(start.path), {}, to('totp'))
    expect(second.title).toBe('Add an authenticator app')
    const saved = await browser.send(second, { code: appOf(second)(app.clock.now()) })
    expect([saved.title, codesOf(saved).length, saved.forms[0]!.action]).toEqual([
      'Save these codes',
      10,
      '../account/profile',
    ])
    expect((await browser.open('/account/profile')).path).toBe('/account/profile')
    const session = await app.rows.sessions.one({ kind: 'browser', endedAt: null })
    expect(session).toMatchObject({ amr: 'pwd otp mfa', isRemembered: true })
    expect(browser.cookies.has('keyward-second')).toBe(false)
    expect((await browser.open(start.path)).title).toBe('This login has expired')
    expect((await createBrowser(app).logIn(ada)).title).toBe('Confirm your login')
  })

  test('is not shown in the days before; the page of the account says what is required, and how long an app waits', async () => {
    const ada = await app.signUp()
    const browser = createBrowser(app)
    expect((await browser.logIn(ada)).path).toBe('/account')
    const page = await browser.open('/account/security')
    expect(page.html).toContain('This service requires a second factor.')
    const scan = await browser.send(page, {}, to('totp'))
    await app.clock.advance(11 * MINUTE)
    const late = await browser.send(scan, { code: appOf(scan)(app.clock.now()) })
    expect([late.status, late.html.includes('It took too long. Begin again.')]).toEqual([404, true])
  })

  test('ends after twenty minutes, and takes no login of another browser', async () => {
    const ada = await overdue(app)
    const [browser, other] = [createBrowser(app), createBrowser(app)]
    const start = await browser.logIn(ada)
    await other.open('/sign-in')
    other.cookies.set('keyward-second', browser.cookies.get('keyward-second')!)
    expect((await other.send(start, {}, to('totp'))).status).toBe(403)
    expect((await browser.open(start.path.replace('enroll', 'second'))).title).toBe('This login has expired')
    await app.clock.advance(20 * MINUTE + SECOND)
    for (const shown of [await browser.open(start.path), await browser.send(start, {}, to('totp'))])
      expect([shown.status, shown.title]).toEqual([400, 'This login has expired'])
    expect(await app.rows.sessions.count({ kind: 'browser' })).toBe(0)
  })
})

const admins = { REQUIRE_SECOND_FACTOR: 'admins', SECOND_FACTOR_GRACE_DAYS: '0' }

describeApp(
  'the page of the account of an administrator whose rights are withheld',
  { env: admins, mailbox: true },
  (app) => {
    test('says that a mail comes first, and leads to the page that sends it, and back', async () => {
      const ada = await app.signUp()
      await app.admin.giveRole(ada.id, 'admin')
      const browser = createBrowser(app)
      await browser.logIn(ada)
      const page = await browser.open('/account/security')
      expect(page.html).toContain('we first send you a mail with a code')
      expect(page.html).not.toContain('Add a passkey</button>')
      const address = await browser.send(await browser.open('/account/address'), { email: 'thief@example.com' }, 1)
      expect(address.title).toBe('Protect your account')
      const start = await browser.send(page, {}, to('totp'))
      expect([start.title, start.path.split('?')[0]]).toEqual(['Protect your account', '/sign-in/enroll'])
      const mail = await browser.send(start, {}, to('totp'))
      const scan = await browser.send(mail, { code: await mailedCode(app) }, to('mail'))
      const saved = await browser.send(scan, { code: appOf(scan)(app.clock.now()) })
      expect([saved.title, saved.forms[0]!.action]).toEqual(['Save these codes', '../account/security'])
      const after = await browser.open('/account/security')
      expect(after.html).toContain('Add a passkey</button>')
      expect(after.html).not.toContain('we first send you')
      expect(await app.rows.sessions.one({ kind: 'browser', endedAt: null })).toMatchObject({ amr: 'pwd otp mfa' })
      expect(await app.rows.mails.count({ kind: 'confirm_address' })).toBe(0)
    })
  },
)

const provider = { env: { ...everybody, PUBLIC_URL: 'https://op.example.com' } }

describeApp('a login for an application that must add a second factor', provider, (app) => {
  test('without mail needs no code, and leads back to the application', async () => {
    const ada = await overdue(app)
    const client = await registerClient(app, { requiresPkce: false, isTrusted: true })
    const rp = relyingParty(app, client)
    const browser = createBrowser(app)
    const start = await browser.send(await browser.open(rp.address()), {
      username: ada.username,
      password: ada.password,
    })
    const scan = await browser.send(start, {}, to('totp'))
    const saved = await browser.send(scan, { code: appOf(scan)(app.clock.now()) })
    expect(saved.headers.get('content-security-policy')).toContain("form-action 'self' https:")
    const { action, fields } = saved.forms[0]!
    const next = new URL(action, saved.url)
    for (const [name, value] of Object.entries(fields)) next.searchParams.set(name, value)
    expect(rp.answer(await browser.open(next.href)).code).toBeString()
  })
})
