import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { registerClient } from '../openid/support.ts'
import { allow } from '../parties/app.ts'
import { good, type MockProvider, mockProvider } from '../social/issuer.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { manualClock } from '../support/clock.ts'
import { hasPrograms } from '../support/programs.ts'
import { freePort } from '../support/proxy.ts'
import { type SmtpSink, startSmtp } from '../support/smtp.ts'
import { type Served, serve } from '../support/socket.ts'
import { codeIn, mailEnv, mailTo } from '../verification/support.ts'
import { accessibilityProblems } from './accessibility.ts'
import { openPage, screenshot } from './chromium.ts'

describe.skipIf(!hasPrograms('chromium'))('the pages to log in with another service, in Chromium', () => {
  let app: TestApp
  let served: Served
  let sink: SmtpSink
  let mock: MockProvider

  beforeAll(async () => {
    mock = await mockProvider()
    sink = await startSmtp()
    const port = await freePort()
    const env = { ...mailEnv(sink), PUBLIC_URL: `http://127.0.0.1:${port}`, OUTGOING_ADDRESSES: 'private' }
    app = await createTestApp({ clock: manualClock(Date.now()), env })
    served = serve(app, port)
    const made = { kind: 'oidc', issuer: mock.url, clientId: 'keyward', clientSecret: 's' } as const
    await app.admin.addProvider({ ...made, name: 'acme', label: 'Acme' })
    const label = 'Städtische Verwaltungsgesellschaft & Partner'
    await app.admin.addProvider({ ...made, name: 'work', label, trustsEmail: true })
  }, 60_000)
  afterAll(async () => {
    await served?.stop()
    await app?.close()
    await sink?.close()
    await mock?.stop()
  })

  const looks = [
    { locale: 'de', width: 320, colorScheme: 'light' },
    { locale: 'en', width: 1280, colorScheme: 'dark' },
    // The other looks are for the eye.
    ...(process.env.KEYWARD_SCREENSHOTS
      ? [
          { locale: 'ja', width: 320, colorScheme: 'dark' } as const,
          { locale: 'fr', width: 320, colorScheme: 'light' } as const,
          { locale: 'es', width: 1280, colorScheme: 'light' } as const,
        ]
      : []),
  ] as const

  test.each(looks)(
    'in $locale, $colorScheme, $width pixels wide: nothing overflows, and axe-core finds nothing',
    async ({ locale, colorScheme, width }) => {
      const options = { locale, colorScheme, viewport: { width, height: 800 } }
      const { page, complaints, requests, close } = await openPage(options)
      page.setDefaultTimeout(5_000)
      const examine = async (name: string) => {
        await screenshot(page, `${name}-${locale}-${colorScheme}-${width}`)
        expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
        expect(await page.evaluate('document.documentElement.lang')).toBe(locale)
      }
      const go = (path: string) => page.goto(`${served.url}${path}`)
      const through = async (at: number) => {
        await page.locator('.providers a').nth(at).click()
        await page.getByText('Back', { exact: true }).click({ timeout: 5_000 })
      }
      const user = await app.signUp(`bea-${locale}`)

      await go('/sign-in')
      await examine('social-buttons')
      mock.person = { sub: `of-bea-${locale}` }
      await through(0)
      await page.waitForSelector('#email')
      await examine('social-address')
      await page.fill('#email', 'nonsense')
      await page.locator('main button').first().click()
      await page.waitForSelector('#email-error')
      expect(await page.evaluate('document.activeElement.id')).toBe('email')
      await examine('social-address-refused')
      await page.fill('#email', user.email)
      await page.locator('main button').first().click()
      await page.waitForSelector('#code')
      await examine('social-code')
      await page.fill('#code', '000000')
      await page.locator('main button').first().click()
      await page.waitForSelector('#code-error')
      expect(await page.evaluate('document.activeElement.id')).toBe('code')
      await examine('social-code-wrong')
      await app.process.deliverMail()
      await page.fill('#code', codeIn(mailTo(sink, user.email)))
      await page.locator('main button').first().click()
      await page.waitForSelector('#password')
      await examine('social-ask')
      await page.fill('#password', 'wrong')
      await page.locator('main button').first().click()
      await page.waitForSelector('#password-error')
      expect(await page.evaluate('document.activeElement.id')).toBe('password')
      await page.locator('summary').click()
      await examine('social-ask-over')
      await page.fill('#password', user.password)
      await page.locator('main button').first().click()
      await page.waitForURL('**/account**')
      await go('/account/identities')
      await examine('social-identities')

      // A proved account, whose owner may also ask for a code.
      await page.context().clearCookies()
      const cleo = await app.signUp(`cleo-${locale}`)
      await app.rows.users.change({ id: cleo.id }, { emailVerifiedAt: 1 })
      mock.person = { sub: `of-cleo-${locale}`, email: cleo.email, email_verified: true }
      await go('/sign-in')
      await through(1)
      await page.waitForSelector('#password')
      await examine('social-ask-proved')
      mock.mood = async () => new Response('', { status: 500 })
      await go('/sign-in')
      await through(1)
      await page.waitForSelector('h1')
      await examine('social-failed')
      await go('/social/acme/callback?state=x')
      await examine('social-expired')
      mock.mood = good

      expect(complaints.filter((text) => !/status of (?:400|403|422)/.test(text))).toEqual([])
      const known = [`${served.url}/`, `${mock.url}/authorize?`, 'data:']
      expect(requests.filter((url) => !known.some((start) => url.startsWith(start)))).toEqual([])
      await close()
    },
    120_000,
  )

  test('an application, Keyward, and another Keyward as its provider: one flow through both, then silently', async () => {
    // The cookies of a host are shared by its ports, so the two have different names of this machine.
    const url = `http://localhost:${await freePort()}`
    const head = await createTestApp({ clock: manualClock(Date.now()), env: { PUBLIC_URL: url } })
    const headServed = serve(head, Number(new URL(url).port))
    const shop = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('shop') })
    const { page, complaints, close } = await openPage({ locale: 'en' })
    try {
      const ada = await head.signUp('ada')
      await head.rows.users.change({ id: ada.id }, { emailVerifiedAt: 1 })
      const there = await registerClient(head, { name: 'Keyward', redirectUri: `${served.url}/social/head/callback` })
      const credentials = { clientId: there.id, clientSecret: there.secret }
      await app.admin.addProvider({ name: 'head', kind: 'oidc', issuer: url, ...credentials, trustsEmail: true })
      const redirectUri = `${shop.url.origin}/cb`
      const client = await registerClient(app, { name: 'Shop', requiresPkce: false, redirectUri })
      const usual = { client_id: client.id, redirect_uri: redirectUri, response_type: 'code', scope: 'openid' }
      const request = `${served.url}/authorize?${new URLSearchParams({ ...usual, provider_hint: 'head' })}`
      await page.goto(request)
      await page.waitForURL(`${url}/sign-in?**`)
      await page.fill('#username', ada.username)
      await page.fill('#password', ada.password)
      await page.click('main form button')
      for (const origin of [url, served.url]) {
        await page.waitForURL((now) => now.origin === origin && now.pathname.startsWith('/authorize'))
        await allow(page)
      }
      await page.waitForURL(`${redirectUri}?**`)
      expect(new URL(page.url()).searchParams.get('code')).toBeString()
      const user = await app.rows.users.one({ email: ada.email })
      expect(await app.rows.identities.one({ userId: user.id })).toMatchObject({ issuer: url, subject: String(ada.id) })

      // Without a session here, the one at the provider is enough: nobody is asked again.
      await page.context().clearCookies({ domain: '127.0.0.1' })
      await page.goto(request)
      expect(page.url()).toStartWith(`${redirectUri}?code=`)
      expect(complaints.filter((text) => !/favicon/.test(text))).toEqual([])
    } finally {
      await close()
      await shop.stop(true)
      await headServed.stop()
      await head.close()
    }
  }, 60_000)
})
