import { expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { own } from '../pages/support.ts'
import { loggedIn } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { createBrowser, type TestBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'

describeEachDialect('the page to log in', (dialect) => {
  const apps = appsPerTest()
  const https = { PUBLIC_URL: 'https://auth.example.com/base' }

  test('from the form to the account, and out again', async () => {
    const app = await apps.open({ dialect })
    const ada = await app.signUp()
    const browser = createBrowser(app)
    const form = await browser.open('/sign-in')
    expect([form.status, form.title]).toEqual([200, 'Log in'])
    expect(form.path).toStartWith('/sign-in?request=')
    expect([...browser.cookies.keys()]).toEqual(['keyward-form'])
    await browser.send(form, { username: ada.username, password: ada.password })
    expect([...browser.cookies.keys()].sort()).toEqual(['keyward', 'keyward-device', 'keyward-form'])
    const [session] = await app.rows.sessions.all({ kind: 'browser' })
    expect(session).toMatchObject({ userId: ada.id, isRemembered: false, endedAt: null })
    expect((await browser.get('/sign-in')).headers.get('location')).toBe('account')
    // Back to the form, after the login.
    expect((await browser.get(form.path)).headers.get('location')).toBe('account')
    const out = await browser.open('/sign-out')
    expect(out.title).toBe('Log out')
    const gone = await browser.send(out)
    expect([gone.path, gone.title]).toEqual(['/sign-out', 'You are logged out'])
    expect([...browser.cookies.keys()].sort()).toEqual(['keyward-device', 'keyward-form'])
    const [ended] = await app.rows.sessions.all({ kind: 'browser' })
    expect(ended).toMatchObject({ endReason: 'logout' })
  })

  test('I1: the cookies: their names, attributes and lifetimes', async () => {
    const app = await apps.open({ dialect, env: https })
    const ada = await app.signUp()
    const page = await app.request('GET', '/sign-in')
    const [form] = page.headers.getSetCookie()
    expect(form).toMatch(/^__Host-keyward-form=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=86400; Secure$/)
    expect(page.headers.getSetCookie()).toHaveLength(1)
    const cookie = form!.split(';')[0]!
    const request = new URL(page.headers.get('location')!, 'http://x').searchParams.get('request')!
    for (const [remember, age] of [
      ['', ''],
      ['on', 'Max-Age=2592000; '],
    ] as const) {
      const fields = { request, username: 'ada', password: ada.password, ...(remember && { remember }) }
      const { headers } = await app.request('POST', '/sign-in', { form: fields, headers: { ...own, cookie } })
      const [session, device] = headers.getSetCookie()
      expect(session).toMatch(new RegExp(`^__Host-keyward=kws_[\\w-]+; Path=/; HttpOnly; SameSite=Lax; ${age}Secure$`))
      expect(device).toMatch(
        /^__Host-keyward-device=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=15552000; Secure$/,
      )
      expect(headers.get('location')).toBe('account')
    }
    const never = await apps.open({ dialect, env: { REMEMBER_ME_DAYS: '0' } })
    expect((await createBrowser(never).open('/sign-in')).html).not.toContain('remember')
  })

  test('C2: one form with both fields; a wrong password keeps the name, and never the password', async () => {
    const app = await apps.open({ dialect })
    const ada = await app.signUp()
    const browser = createBrowser(app)
    const form = await browser.open('/sign-in')
    expect(form.html).toMatch(/<input type="text" id="username" name="username" autocomplete="username webauthn"/)
    expect(form.html).toMatch(/<input type="password" id="password" name="password" autocomplete="current-password"/)
    const pages: string[] = []
    for (const username of ['ada', 'nobody', 'ADA@example.com']) {
      const wrong = await browser.send(form, { username, password: 'not "this" one' })
      expect([wrong.status, wrong.title]).toEqual([401, 'Log in'])
      expect(wrong.html).toContain('<strong>Incorrect username or password</strong>')
      expect(wrong.html).toContain(`value="${username}"`)
      expect(wrong.html).not.toContain('this&quot; one')
      pages.push(wrong.html.replace(username, 'NAME'))
    }
    // C2: nothing tells whether the name exists.
    expect(new Set(pages).size).toBe(1)
    expect(browser.cookies.has('keyward')).toBe(false)
    await app.admin.deactivate(ada.id)
    const inactive = await browser.send(form, { username: 'ada', password: ada.password })
    expect([inactive.status, inactive.html.replace('ada', 'NAME')]).toEqual([401, pages[0]!])
    const failed = (await app.rows.auditEvents.all({ event: 'login.failed' })).length
    const empty = await browser.send(form, { username: ' ', password: '' })
    expect(empty.status).toBe(422)
    expect(empty.html).toContain('Enter your username or your email address.')
    expect(empty.html).toContain('Enter your password.')
    expect((await app.rows.auditEvents.all({ event: 'login.failed' })).length).toBe(failed)
  })

  test('I2: a request of another browser, an old, altered or absent one is refused', async () => {
    const app = await apps.open({ dialect })
    const ada = await app.signUp()
    const [browser, other] = [createBrowser(app), createBrowser(app)]
    const form = await browser.open('/sign-in')
    const request = new URL(form.path, 'http://x').searchParams.get('request')!
    await other.open('/sign-in')
    const right = { username: ada.username, password: ada.password }
    const [payload, mac] = request.split('.')
    const altered = [
      `${payload}.${mac!.slice(0, -1)}${mac!.endsWith('A') ? 'E' : 'A'}`,
      `${payload}.`,
      `${payload}`,
      `${request}.x`,
      `e30.${mac}`,
      '',
      'x'.repeat(20_000),
    ]
    const refused = [
      await other.post('/sign-in', { ...right, request }),
      await createBrowser(app).post('/sign-in', { ...right, request }),
      await browser.post('/sign-in', right),
      ...(await Promise.all(altered.map((text) => browser.post('/sign-in', { ...right, request: text })))),
    ]
    await app.passTime(HOUR + SECOND)
    refused.push(await browser.post('/sign-in', { ...right, request }))
    for (const answer of refused) {
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([403, []])
      expect(await answer.text()).toContain('<h1>This login has expired</h1>')
    }
    expect(await app.rows.sessions.all({ kind: 'browser' })).toEqual([])
    expect((await other.open(form.path)).status).toBe(400)
    const foreign = { form: { ...right, request }, headers: { 'sec-fetch-site': 'cross-site' } }
    expect((await app.request('POST', '/sign-in', foreign)).status).toBe(403)
  })

  test('G3: another login ends the session of this browser, and makes a new cookie', async () => {
    const app = await apps.open({ dialect })
    const [ada, bob] = [await app.signUp(), await app.signUp('bob')]
    const browser = createBrowser(app)
    // A cookie from before the login is replaced.
    browser.cookies.set('keyward', 'kws_fixed')
    await browser.logIn(ada)
    const first = browser.cookies.get('keyward')!
    expect(first).not.toBe('kws_fixed')
    const sealed = await askedAgain(app, browser)
    expect(sealed.html).toContain('value="ada"')
    expect(sealed.html).toContain('Enter your password again to continue.')
    await browser.send(sealed, { username: 'ada', password: ada.password })
    const second = browser.cookies.get('keyward')!
    expect(second).not.toBe(first)
    await browser.send(await askedAgain(app, browser), { username: 'bob', password: bob.password })
    const sessions = await app.rows.sessions.all({ kind: 'browser' })
    const alive = sessions.filter(({ endedAt }) => endedAt === null)
    expect([sessions.length, alive.map(({ userId }) => userId)]).toEqual([3, [bob.id]])
    const old = createBrowser(app)
    for (const cookie of [first, second]) {
      old.cookies.set('keyward', cookie)
      expect((await old.open('/sign-in')).title).toBe('Log in')
    }
  })

  test('D6: guesses of strangers are counted as at POST /token, and do not lock out a known browser', async () => {
    const app = await apps.open({ dialect, env: { RATE_LIMIT: 'on' } })
    const ada = await app.signUp()
    const owner = createBrowser(app, { peer: '203.0.113.5' })
    await owner.logIn(ada)
    await owner.send(await owner.open('/sign-out'))
    const stranger = createBrowser(app, { peer: '198.51.100.7' })
    const form = await stranger.open('/sign-in')
    const guess = { username: 'ada', password: 'wrong' }
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await stranger.send(form, guess)).status)
    const limited = await stranger.send(form, { username: 'ada', password: ada.password })
    expect([...statuses, limited.status]).toEqual([401, 401, 401, 429])
    expect(limited.html).toMatch(/<strong>Too many attempts<\/strong>.*Try again in \d+ (?:second|minute)/s)
    expect(limited.html).toContain('value="ada"')
    expect(limited.headers.get('retry-after')).toMatch(/^\d+$/)
    const byToken = { form: guess, peer: '198.51.100.7' }
    expect((await app.request('POST', '/token', byToken)).status).toBe(429)
    // From another network, with the device cookie of the first login.
    const moved = createBrowser(app, { peer: '198.51.100.7' })
    for (const [name, value] of owner.cookies) moved.cookies.set(name, value)
    expect((await moved.logIn(ada)).title).toBe('Your account')
    const events = await app.rows.auditEvents.all({ event: 'login.failed' })
    expect(events.map(({ userId, ip }) => [userId, ip])).toEqual(Array(3).fill([ada.id, '198.51.100.7']))
    expect(await app.rows.devices.count({ userId: ada.id })).toBe(2)
  })

  test('a deleted or deactivated user, and a new password, end the session of the browser', async () => {
    const app = await apps.open({ dialect })
    const ada = await app.signUp()
    const browser = createBrowser(app)
    await browser.logIn(ada)
    await loggedIn(app, ada)
    const change = { current_password: ada.password, new_password: 'a longer and better one' }
    const changed = await app.request('PUT', '/users/me/password', { token: ada.grant.access_token, json: change })
    expect(changed.status).toBe(204)
    expect((await browser.open('/sign-in')).title).toBe('Log in')
    await app.passTime(31 * DAY)
    expect((await browser.open('/sign-in')).title).toBe('Log in')
  })
})

/** The form of a request that came after the login, so that it asks for the password again. */
async function askedAgain(app: TestApp, browser: TestBrowser) {
  await app.passTime(MINUTE)
  const cookie = browser.cookies.get('keyward')!
  browser.cookies.delete('keyward')
  const form = await browser.open('/sign-in')
  browser.cookies.set('keyward', cookie)
  return browser.open(form.path)
}
