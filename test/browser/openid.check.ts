import { describe, expect, test } from 'bun:test'
import { registerClient } from '../openid/support.ts'
import { providerPerSuite, user } from '../parties/provider.ts'
import { hasPrograms } from '../support/programs.ts'
import { accessibilityProblems } from './accessibility.ts'
import { openPage, screenshot } from './chromium.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

describe.skipIf(!hasPrograms('chromium'))('the pages of the OpenID provider, in Chromium', () => {
  const provider = providerPerSuite()
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
      const { app, issuer } = provider
      const redirectUri = 'http://127.0.0.1/callback'
      const client = await registerClient(app, { name: 'Zeiterfassung & Urlaub', requiresPkce: false })
      const tool = await registerClient(app, { name: 'Tool', isPublic: true, redirectUri })
      const television = await registerClient(app, { name: 'Television', isPublic: true, grantTypes: [deviceGrant] })
      const options = { locale, colorScheme, viewport: { width, height: 800 }, ignoreHTTPSErrors: true }
      const { page, complaints, requests, close } = await openPage(options)
      const examine = async (name: string) => {
        await screenshot(page, `${name}-${locale}-${colorScheme}-${width}`)
        expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
        expect(await page.evaluate('document.documentElement.lang')).toBe(locale)
      }
      const go = (path: string) => page.goto(`${issuer}${path}`)
      const send = (at = 0) => page.locator('main button').nth(at).click()
      const authorize = (more: Record<string, string>) =>
        `/authorize?${new URLSearchParams({ response_type: 'code', scope: 'openid profile email groups offline_access', ...more })}`

      await go(authorize({ client_id: 'nobody', redirect_uri: client.redirectUri }))
      await examine('authorize-unknown-client')
      await go(authorize({ client_id: client.id, redirect_uri: 'https://elsewhere.example' }))
      await examine('authorize-wrong-address')
      await go(authorize({ client_id: client.id, redirect_uri: client.redirectUri }))
      await page.fill('#username', user.username)
      await page.fill('#password', user.password)
      await send()
      await page.waitForSelector('.scopes')
      await examine('consent')
      const challenge = { code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' }
      await go(authorize({ client_id: tool.id, redirect_uri: redirectUri, ...challenge }))
      await examine('consent-native')
      await go('/device')
      await examine('device')
      await page.fill('#user_code', 'BBBB-BBBB')
      await send()
      await page.waitForSelector('#user_code-error')
      await examine('device-wrong')
      const form = new URLSearchParams({ client_id: television.id, scope: 'openid profile' })
      const started = await provider.fetch(`${issuer}/device_authorization`, { method: 'POST', body: form })
      const { user_code: code } = (await started.json()) as { user_code: string }
      await page.fill('#user_code', code)
      await send()
      await page.waitForSelector('.scopes')
      await examine('device-question')
      await send()
      await page.waitForSelector('.scopes', { state: 'detached' })
      await examine('device-done')
      await go(`/end-session?client_id=${client.id}`)
      await examine('end-session')
      await send()
      await page.waitForURL('**/confirm')
      await examine('signed-out')

      expect(complaints.filter((text) => !/status of (?:400|403|404|405)/.test(text))).toEqual([])
      expect(requests.filter((url) => !url.startsWith(`${issuer}/`) && !url.startsWith('data:'))).toEqual([])
      await close()
    },
    120_000,
  )

  test('a session shows the factor that an application asks for, and comes back to it', async () => {
    const { app, issuer } = provider
    const { id, username, password } = await app.signUp('fay')
    const client = await registerClient(app, { name: 'Shop', isTrusted: true, requiresPkce: false })
    const viewport = { width: 320, height: 800 }
    const { page, complaints, close } = await openPage({ locale: 'en', viewport, ignoreHTTPSErrors: true })
    await page.route(`${client.redirectUri}*`, (route) => route.fulfill({ body: 'welcome back' }))
    const examine = async (name: string) => {
      await screenshot(page, name)
      expect([name, await accessibilityProblems(page)]).toEqual([name, []])
      expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, viewport.width])
    }
    const authorize = () => {
      const asked = { response_type: 'code', scope: 'openid', acr_values: 'aal2', client_id: client.id }
      return page.goto(`${issuer}/authorize?${new URLSearchParams({ ...asked, redirect_uri: client.redirectUri })}`)
    }
    await authorize()
    await page.fill('#username', username)
    await page.fill('#password', password)
    await page.locator('main button').first().click()
    await page.getByText('Shop asks for a second factor.').waitFor()
    await examine('factor-missing')
    await page.getByText('Back to Shop').click()
    await page.waitForURL(`${client.redirectUri}?*error=unmet_authentication_requirements*`)

    const phone = await app.factors.addApp(id)
    await authorize()
    await page.waitForSelector('#otp')
    await examine('factor-asked')
    await page.fill('#otp', phone.code())
    await page.locator('main button').first().click()
    await page.waitForURL(`${client.redirectUri}?code=*`)
    expect(complaints).toEqual([])
    await close()
  }, 60_000)
})
