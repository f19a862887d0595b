import { expect, test } from 'bun:test'
import { createBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { appsWithMail, tokenIn } from '../verification/support.ts'

const typed = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery' }

describeEachDialect('the page to register', (dialect) => {
  const apps = appsPerTest()
  const withMail = appsWithMail()

  test('makes the account of POST /register, in the language of the browser, and logs in', async () => {
    const env = { TERMS_URL: 'https://example.com/terms', PRIVACY_URL: 'https://example.com/privacy' }
    const app = await apps.open({ dialect, env })
    const browser = createBrowser(app, { headers: { 'accept-language': 'de' } })
    const form = await browser.open('/sign-up')
    expect([form.status, form.title]).toEqual([200, 'Konto anlegen'])
    expect(form.html).toContain('<a href="https://example.com/privacy">Datenschutzerklärung</a>')
    await browser.send(form, typed)
    expect(browser.cookies.has('keyward')).toBe(true)
    expect(await app.rows.users.one()).toMatchObject({ email: typed.email, username: 'ada', locale: 'de' })
    expect(await app.rows.sessions.one()).toMatchObject({ kind: 'browser', isRemembered: false })
  })

  test('a refused field says why, and keeps what was typed but the password', async () => {
    const app = await apps.open({ dialect, env: { EMAIL_DOMAINS_BLOCKED: 'spam.example' } })
    await app.signUp('bob')
    const browser = createBrowser(app)
    const form = await browser.open('/sign-up')
    const cases: [Record<string, string>, status: number, sentence: string][] = [
      [{ email: 'no address' }, 422, 'Enter one email address'],
      [{ email: 'a@spam.example' }, 422, 'Addresses of this domain cannot register here.'],
      [{ email: 'bob@example.com' }, 409, 'An account has this address already.'],
      [{ username: 'x' }, 422, 'Use 3 to 32 letters'],
      [{ username: 'admin' }, 422, 'This username is reserved.'],
      [{ username: 'BOB' }, 409, 'Somebody has this username already.'],
      [{ password: 'short' }, 422, 'The password must have at least 8 characters.'],
    ]
    for (const [field, status, sentence] of cases) {
      const refused = await browser.send(form, { ...typed, ...field })
      expect([sentence, refused.status, refused.title]).toEqual([sentence, status, 'Create an account'])
      expect(refused.html).toMatch(new RegExp(`<p class="error" id="${Object.keys(field)[0]}-error">[^<]*${sentence}`))
      for (const [name, value] of Object.entries({ ...typed, ...field }))
        expect(refused.html.includes(`value="${value}"`)).toBe(name !== 'password')
      expect(refused.html.match(/ autofocus/g)).toHaveLength(1)
    }
    expect(await app.rows.users.count()).toBe(1)
    expect((await createBrowser(app).post('/sign-up', typed)).status).toBe(403)
  })

  test('REGISTRATION=closed and a spent limit', async () => {
    const closed = await apps.open({ dialect, env: { REGISTRATION: 'closed' } })
    const browser = createBrowser(closed)
    expect(await browser.open('/sign-up')).toMatchObject({ status: 403, title: 'Registration is closed' })
    const logIn = await browser.open('/sign-in')
    expect(logIn.html).not.toContain('sign-up')
    const request = new URL(logIn.path, 'http://x').searchParams.get('request')!
    expect((await browser.post('/sign-up', { ...typed, request })).status).toBe(403)
    expect(await closed.rows.users.count()).toBe(0)
    const limited = await apps.open({ dialect, env: { RATE_LIMIT: 'on', LIMITS: 'register.prefix=1/1h' } })
    await limited.signUp('bob')
    const other = createBrowser(limited)
    const refused = await other.send(await other.open('/sign-up'), typed)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '3600'])
    expect(refused.html).toContain('Nothing was changed. Try again in 1 hour.')
  })

  test('REQUIRE_EMAIL_VERIFICATION: the same page for every address, and a mail', async () => {
    const { app, sink } = await withMail(dialect, { env: { REQUIRE_EMAIL_VERIFICATION: 'true' } })
    const [first, second] = [createBrowser(app), createBrowser(app)]
    const sent = await first.send(await first.open('/sign-up'), typed)
    expect(sent).toMatchObject({ path: '/sign-up?sent', title: 'Look into your mailbox' })
    expect([...first.cookies.keys()]).toEqual(['__Host-keyward-form'])
    await app.process.deliverMail()
    const link = await first.open(`/verify?token=${tokenIn(sink.received[0]!)}`)
    expect((await first.send(link, { password: typed.password })).path).toBe('/verify?done')
    const again = await second.send(await second.open('/sign-up'), { ...typed, username: 'other' })
    expect([again.status, again.html]).toEqual([sent.status, sent.html])
    await first.logIn(typed)
    expect(first.cookies.has('__Host-keyward')).toBe(true)
  })
})
