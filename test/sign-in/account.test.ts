import { expect, test } from 'bun:test'
import { HOUR, MINUTE } from '../../src/lib/clock.ts'
import { registerClient } from '../openid/support.ts'
import { formOrigins } from '../pages/support.ts'
import { loggedIn } from '../sessions/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { appsWithMail, tokenIn } from '../verification/support.ts'

const below = ['profile', 'address', 'password', 'security', 'sessions', 'export', 'delete']

describeEachDialect('the pages of an account', (dialect) => {
  const apps = appsPerTest()
  const withMail = appsWithMail()
  const next = 'a longer and better one'

  test('lead to the login and back, and GET / leads to them', async () => {
    const app = await apps.open({ dialect })
    const ada = await app.signUp()
    for (const page of ['', ...below.map((name) => `/${name}`)]) {
      const browser = createBrowser(app)
      const form = await browser.open(`/account${page}`)
      expect([page, form.title]).toEqual([page, 'Log in'])
      const shown = await browser.send(form, { username: ada.username, password: ada.password })
      expect([shown.path, shown.status]).toEqual([`/account${page}`, 200])
      expect(shown.html).not.toContain('undefined')
    }
    const browser = createBrowser(app)
    expect((await browser.get('/')).headers.get('location')).toBe('account')
    expect((await app.request('GET', '/', { headers: { accept: '*/*' } })).status).toBe(404)
    await browser.logIn(ada)
    const overview = await browser.open('/')
    expect(overview.path).toBe('/account')
    const links = [...overview.html.matchAll(/<a href="(account\/[a-z]+)"/g)].map(([, path]) => path)
    expect(links).toEqual(below.map((name) => `account/${name}`))
    expect(overview.html).toContain('ada@example.com (not confirmed)')
    expect((await browser.send(overview)).title).toBe('You are logged out')
    const off = await apps.open({ dialect, env: { PAGES: 'off' } })
    const http = await apps.open({ dialect, env: { PUBLIC_URL: 'http://auth.example.com' } })
    for (const closed of [off, http]) {
      expect((await closed.request('GET', '/')).headers.get('location')).toBe('docs')
      for (const path of ['/account', '/account/profile', '/sign-in', '/sign-up', '/sign-out'])
        expect([path, (await closed.request('GET', path)).status]).toEqual([path, 404])
    }
  })

  test('I2: a form of another site, without its token, or of another browser changes nothing', async () => {
    const origin = 'https://auth.example.com'
    const app = await apps.open({ dialect, env: { PUBLIC_URL: `${origin}/base` } })
    const ada = await app.signUp()
    await loggedIn(app, ada)
    const browser = createBrowser(app)
    await browser.logIn(ada)
    const [page, other] = [await browser.open('/account/profile'), createBrowser(app)]
    await other.open('/sign-in')
    const form = /name="form" value="([^"]+)"/.exec(page.html)![1]!
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const fields = { form, username: 'eve', name: 'Eve', email: 'eve@evil.example', all: 'yes', password: ada.password }
    const more = { current_password: ada.password, new_password: next }
    const before = async () => [await app.rows.users.all(), await app.rows.sessions.all()]
    const unchanged = await before()
    for (const name of below) {
      const path = `/account/${name}`
      for (const [what, headers, accepted] of formOrigins(origin, '/base'))
        if (!accepted) {
          const answer = await app.request('POST', path, {
            form: { ...fields, ...more },
            headers: { ...headers, cookie },
          })
          expect([path, what, answer.status, answer.headers.getSetCookie()]).toEqual([path, what, 403, []])
        }
      for (const wrong of ['', 'x', other.cookies.get('__Host-keyward-form')!, `${form.slice(0, -1)}!`])
        expect((await browser.post(path, { ...fields, ...more, form: wrong })).status).toBe(403)
      const foreign = createBrowser(app)
      foreign.cookies.set('__Host-keyward', browser.cookies.get('__Host-keyward')!)
      foreign.cookies.set('__Host-keyward-form', other.cookies.get('__Host-keyward-form')!)
      expect((await foreign.post(path, { ...fields, ...more })).status).toBe(403)
    }
    expect((await browser.post('/sign-out', { form: 'x' })).status).toBe(403)
    expect(await before()).toEqual(unchanged)
    expect((await browser.send(page, { username: 'ada2' })).path).toBe('/account/profile?saved')
  })

  test('profile: the use case of PATCH /users/me, with its refusals at their fields', async () => {
    const app = await apps.open({ dialect })
    const [ada] = [await app.signUp(), await app.signUp('bob')]
    const browser = createBrowser(app)
    await browser.logIn(ada)
    const page = await browser.open('/account/profile')
    const saved = await browser.send(page, { username: 'ada.l', name: 'Ada <b>', locale: 'en' })
    expect(saved.path).toBe('/account/profile?saved')
    expect(saved.html).toContain('Your changes are saved.')
    expect(saved.html).toContain('value="Ada &lt;b>"')
    expect(saved.html).toContain('<option value="en" lang="en" selected>')
    expect(await app.rows.users.one({ id: ada.id })).toMatchObject({ username: 'ada.l', name: 'Ada <b>', locale: 'en' })
    for (const [fields, status, sentence] of [
      [{ username: 'bob' }, 409, 'Somebody has this username already.'],
      [{ username: 'root' }, 422, 'This username is reserved.'],
      [{ username: 'x' }, 422, 'Use 3 to 32 letters'],
      [{ username: 'ada', name: 'a\u0007b' }, 422, 'This name cannot be used.'],
    ] as const) {
      const refused = await browser.send(page, fields)
      expect([refused.status, refused.html.includes(sentence)]).toEqual([status, true])
      expect(refused.html.match(/ autofocus/g)).toHaveLength(1)
    }
    await browser.send(page, { username: 'ada.l', name: ' ', locale: '' })
    expect(await app.rows.users.one({ id: ada.id })).toMatchObject({ username: 'ada.l', name: null, locale: null })
  })

  test('address: a mail to the new one; the password where the login is old', async () => {
    const { app, sink } = await withMail(dialect)
    const ada = await app.signUp()
    const browser = createBrowser(app)
    await browser.logIn(ada)
    // The address is not proved, so the first form sends its mail again.
    const page = await browser.open('/account/address')
    expect(page.html).not.toContain('type="password"')
    expect((await browser.send(page, { email: 'x' }, 1)).html).toContain('Enter one email address')
    expect((await browser.send(page, { email: ada.email }, 1)).html).toContain('This is your address already.')
    await app.passTime(16 * MINUTE)
    // The page was opened while the login was fresh.
    const asked = await browser.send(page, { email: 'next@example.com' }, 1)
    expect([asked.status, asked.html.includes('type="password"')]).toEqual([401, true])
    expect(asked.html).toContain('value="next@example.com"')
    expect((await browser.open('/account/address')).html).toContain('type="password"')
    const wrong = await browser.send(asked, { email: 'next@example.com', password: 'wrong' }, 1)
    expect([wrong.status, wrong.html.includes('This is not your password.')]).toEqual([403, true])
    const sent = await browser.send(asked, { email: 'next@example.com', password: ada.password }, 1)
    expect([sent.path, sent.title]).toEqual(['/account/address?sent', 'Look into your mailbox'])
    await app.process.deliverMail()
    const link = await createBrowser(app).open(`/confirm?token=${tokenIn(sink.received.at(-1)!)}`)
    await createBrowser(app).send(link)
    expect(await app.rows.users.one({ id: ada.id })).toMatchObject({ email: 'next@example.com' })
    const off = await apps.open({ dialect })
    const bob = await off.signUp('bob')
    const other = createBrowser(off)
    await other.logIn(bob)
    const refused = await other.send(await other.open('/account/address'), { email: 'b@example.com' })
    expect([refused.status, refused.html.includes('This service cannot send mail')]).toEqual([503, true])
  })

  test('an address that is not proved: its mail is sent again, with the limits of the JSON route', async () => {
    const { app, sink } = await withMail(dialect, { env: { RATE_LIMIT: 'on', LIMITS: 'mail.again=1/10m' } })
    const ada = await app.signUp()
    const browser = createBrowser(app)
    await browser.logIn(ada)
    const page = await browser.open('/account/address')
    expect(page.html).toContain('This address is not confirmed.')
    const sent = await browser.send(page)
    expect([sent.path, sent.html.includes('A mail to your address is on its way.')]).toEqual([
      '/account/address?resent',
      true,
    ])
    await app.process.deliverMail()
    expect(sink.received).toHaveLength(1)
    const limited = await browser.send(sent)
    expect([limited.status, limited.headers.has('retry-after')]).toEqual([429, true])
    const json = await app.request('POST', '/email/verification', { json: { email: ada.email } })
    expect(json.status).toBe(429)
    // The link of the mail, opened in the browser that is logged in.
    await browser.send(await browser.open(`/verify?token=${tokenIn(sink.received[0]!)}`), { password: ada.password })
    expect((await app.rows.users.one({ id: ada.id })).emailVerifiedAt).not.toBeNull()
    const proved = await browser.open('/account/address')
    expect([proved.title, proved.forms.length]).toEqual(['Email address', 1])
    const late = await browser.send(page)
    expect([late.path, late.status]).toEqual(['/account/address', 200])
    const off = await apps.open({ dialect })
    await off.signUp()
    const other = createBrowser(off)
    await other.logIn(ada)
    expect((await other.open('/account/address')).forms).toHaveLength(1)
  })

  test('password: this browser stays logged in, all others do not; guesses count as at a login', async () => {
    const app = await apps.open({
      dialect,
      env: { RATE_LIMIT: 'on', LIMITS: 'login.name=3/1h,login.known_account=3/1h' },
    })
    const ada = await app.signUp()
    const [browser, other] = [createBrowser(app), createBrowser(app)]
    await browser.logIn(ada)
    await other.logIn(ada)
    const page = await browser.open('/account/password')
    expect(page.html).toMatch(/<input type="text" autocomplete="username" value="ada" readonly hidden\/>/)
    const weak = await browser.send(page, { current_password: ada.password, new_password: 'short' })
    expect([weak.status, weak.html.includes('at least 8 characters')]).toEqual([422, true])
    const wrong = await browser.send(page, { current_password: 'wrong', new_password: next })
    expect([wrong.status, wrong.html.includes('This is not your password.')]).toEqual([403, true])
    const empty = await browser.send(page, { new_password: next })
    expect([empty.status, empty.html.includes('Enter your password.')]).toEqual([422, true])
    const done = await browser.send(page, { current_password: ada.password, new_password: next })
    expect(done.html).toContain('Your password is changed')
    expect((await other.open('/account')).title).toBe('Log in')
    expect((await app.request('GET', '/users/me', { token: ada.grant.access_token })).status).toBe(401)
    for (let i = 0; i < 6; i++)
      await browser.send(page, { current_password: 'wrong', new_password: 'another good one' })
    const limited = await browser.send(page, { current_password: 'wrong', new_password: 'another good one' })
    expect([limited.status, limited.headers.has('retry-after')]).toEqual([429, true])
    expect(limited.html).toContain('Too many attempts')
    await app.rows.users.change({ id: ada.id }, { passwordHash: null, passwordScheme: null })
    const none = await browser.open('/account/password')
    expect(none.html).toContain('Your account has no password.')
  })

  test('G1: sessions are listed, and ended one by one or all but this', async () => {
    const app = await apps.open({ dialect })
    const [ada, bob] = [await app.signUp(), await app.signUp('bob')]
    const browser = createBrowser(app, { headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' } })
    const [phone, eve] = [createBrowser(app), createBrowser(app)]
    await browser.logIn(ada)
    await phone.logIn(ada)
    await eve.logIn(bob)
    const page = await browser.open('/account/sessions')
    expect(page.html.match(/<li>/g)).toHaveLength(3)
    expect(page.html).toContain('Firefox on Linux <span class="badge">this browser</span>')
    const [foreign] = await app.rows.sessions.all({ userId: bob.id, kind: 'browser' })
    const gone = await browser.send(page, { id: foreign!.id })
    expect([gone.status, gone.html.includes('It was logged out already.')]).toEqual([404, true])
    expect((await browser.send(page)).html).toContain('Done: logged out.')
    expect((await app.rows.sessions.all({ userId: ada.id, endedAt: null })).length).toBe(2)
    const left = await browser.send(await browser.open('/account/sessions'), {}, 1)
    expect(left.html.match(/<li>/g)).toHaveLength(1)
    expect((await phone.open('/account')).title).toBe('Log in')
    expect((await eve.open('/account')).title).toBe('Your account')
  })

  test('export and deletion, with the password where the login is old', async () => {
    const app = await apps.open({ dialect, env: { APP_NAME: 'Café "42"' } })
    const ada = await app.signUp()
    const browser = createBrowser(app)
    await browser.logIn(ada)
    const page = await browser.open('/account/export')
    const form = /name="form" value="([^"]+)"/.exec(page.html)![1]!
    const file = await browser.post('/account/export', { form })
    expect([file.status, file.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="Caf-42--export.json"')
    expect(await file.json()).toMatchObject({ user: { id: ada.id, email: ada.email } })
    await app.passTime(HOUR)
    for (const name of ['export', 'delete']) {
      const asked = await browser.open(`/account/${name}`)
      expect(asked.html).toContain('autocomplete="current-password"')
      const empty = await browser.send(asked, { password: '' })
      expect([empty.status, empty.html.includes('Enter your password.')]).toEqual([401, true])
      const wrong = await browser.send(asked, { password: 'wrong' })
      expect([wrong.status, wrong.html.includes('This is not your password.')]).toEqual([403, true])
    }
    // An account without a password logs in again instead.
    const { passwordHash, passwordScheme } = await app.rows.users.one({ id: ada.id })
    await app.rows.users.change({ id: ada.id }, { passwordHash: null, passwordScheme: null })
    const none = await browser.open('/account/delete')
    expect(none.html).not.toContain('<form')
    await app.rows.users.change({ id: ada.id }, { passwordHash, passwordScheme })
    const again = await browser.open(`/${/href="\.\.\/(sign-in\?request=[^"]+)"/.exec(none.html)![1]}`)
    const back = await browser.send(again, { username: 'ada', password: ada.password })
    expect(back.path).toBe('/account/delete')
    await app.admin.giveRole(ada.id, 'admin')
    const last = await browser.send(back)
    expect([last.status, last.html.includes('You are the last administrator')]).toEqual([409, true])
    const root = await app.signUp('chief')
    await app.admin.giveRole(root.id, 'admin')
    const done = await browser.send(back)
    expect([done.path, done.title]).toEqual(['/account/delete?done', 'Your account is deleted'])
    expect([...browser.cookies.keys()]).toEqual(['keyward-form'])
    expect(await app.rows.users.all({ id: ada.id })).toEqual([])
  })

  test('linked identities: shown when there are any, unlinked after a fresh login, never the last way to log in', async () => {
    const app = await apps.open({ dialect })
    const ada = await app.signUp()
    const browser = createBrowser(app)
    await browser.logIn(ada)
    expect((await browser.open('/account')).html).not.toContain('account/identities')
    const times = { createdAt: app.clock.now(), lastUsedAt: app.clock.now() }
    const identity = { userId: ada.id, issuer: 'https://accounts.google.com', subject: '1', email: 'a<b@gmail.com' }
    await app.rows.identities.add({ ...identity, provider: 'google', ...times })
    expect((await browser.open('/account')).html).toContain('account/identities')
    const page = await browser.open('/account/identities')
    expect(page.html).toContain('a&lt;b@gmail.com')
    const { passwordHash, passwordScheme } = await app.rows.users.one({ id: ada.id })
    await app.rows.users.change({ id: ada.id }, { passwordHash: null, passwordScheme: null })
    const last = await browser.send(page)
    expect([last.status, last.html.includes('This is your only way to log in.')]).toEqual([409, true])
    await app.rows.users.change({ id: ada.id }, { passwordHash, passwordScheme })
    await app.passTime(16 * MINUTE)
    expect((await browser.open('/account/identities')).html).toContain('confirm that it is you')
    expect((await browser.send(page)).status).toBe(401)
    const again = /href="\.\.\/(sign-in\/step-up\?request=[^"]+)"/.exec(
      (await browser.open('/account/identities')).html,
    )![1]
    const back = await browser.send(await browser.open(`/${again}`), { password: ada.password })
    expect(back.path).toBe('/account/identities')
    const done = await browser.send(back)
    expect(done.html).toContain('The account is not linked any more.')
    expect(await app.rows.identities.count()).toBe(0)
    const gone = await browser.send(back)
    expect([gone.status, gone.html.includes('The account was not linked any more.')]).toEqual([404, true])
  })

  test('connected apps: shown when there are any, and disconnected', async () => {
    const app = await apps.open({ dialect })
    const ada = await app.signUp()
    const browser = createBrowser(app)
    await browser.logIn(ada)
    expect((await browser.open('/account')).html).not.toContain('account/apps')
    const client = await registerClient(app, { name: 'Wiki <1>' })
    const times = { grantedAt: app.clock.now(), lastUsedAt: app.clock.now() }
    await app.rows.consents.add({ userId: ada.id, clientId: client.id, scopes: 'openid', ...times })
    expect((await browser.open('/account')).html).toContain('account/apps')
    const page = await browser.open('/account/apps')
    expect(page.html).toContain('Wiki &lt;1>')
    expect((await browser.send(page)).html).toContain('The app is disconnected.')
    expect(await app.rows.consents.count()).toBe(0)
    const gone = await browser.send(page)
    expect([gone.status, gone.html.includes('The app was disconnected already.')]).toEqual([404, true])
  })
})
