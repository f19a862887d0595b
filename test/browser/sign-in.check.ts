import { describe, expect, test } from 'bun:test'
import { hasPrograms } from '../support/programs.ts'
import { accessibilityProblems } from './accessibility.ts'
import { openPage, screenshot } from './chromium.ts'
import { pagesPerSuite } from './mailed-links.ts'

describe.skipIf(!hasPrograms('chromium'))('the pages to log in and of the account, in Chromium', () => {
  const pages = pagesPerSuite({ TERMS_URL: 'http://localhost/terms', PRIVACY_URL: 'http://localhost/privacy' })
  const phone = { width: 320, colorScheme: 'light' } as const
  const desktop = { width: 1280, colorScheme: 'dark' } as const
  const looks = [
    { locale: 'de', ...phone },
    { locale: 'en', ...desktop },
    // The other looks are for the eye.
    ...(process.env.KEYWARD_SCREENSHOTS
      ? [
          { locale: 'en', ...phone },
          { locale: 'ja', ...phone },
          { locale: 'fr', ...phone },
          { locale: 'es', ...desktop },
          { locale: 'de', width: 1280, colorScheme: 'light' } as const,
          { locale: 'en', width: 390, colorScheme: 'dark' } as const,
        ]
      : []),
  ]

  test.each(looks)(
    'in $locale, $colorScheme, $width pixels wide: nothing overflows, and axe-core finds nothing',
    async ({ locale, colorScheme, width }) => {
      const options = { locale, colorScheme, viewport: { width, height: 800 }, javaScriptEnabled: true }
      const { page, complaints, requests, close } = await openPage(options)
      const examine = async (name: string) => {
        await screenshot(page, `${name}-${locale}-${colorScheme}-${width}`)
        expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
        expect(await page.evaluate('document.documentElement.lang')).toBe(locale)
      }
      const go = (path: string) => page.goto(`${pages.url}${path}`)
      const send = (at = 0) => page.locator('main button').nth(at).click()
      const name = `ada-${locale}-${width}-${colorScheme}`

      await go('/account')
      await examine('sign-in')
      await send()
      await page.waitForSelector('#username-error')
      await examine('sign-in-empty')
      await page.fill('#username', 'somebody')
      await page.fill('#password', 'wrong')
      await send()
      await page.waitForSelector('[role=alert]')
      await examine('sign-in-wrong')
      await page.locator('.links a').nth(1).click()
      await page.waitForSelector('#email')
      await examine('sign-up')
      await send()
      await page.waitForSelector('#email-error')
      await examine('sign-up-refused')
      await page.fill('#email', `${name}@example.com`)
      await page.fill('#username', name)
      await page.fill('#password', 'correct horse battery')
      await send()
      await page.waitForURL('**/account')
      await examine('account')
      for (const below of ['profile', 'address', 'password', 'sessions', 'export', 'delete']) {
        await go(`/account/${below}`)
        await examine(`account-${below}`)
      }
      await go('/account/profile')
      await send()
      await page.waitForURL('**/profile?saved')
      await examine('account-profile-saved')
      await go('/account/password')
      await page.fill('#current_password', 'wrong')
      await page.fill('#new_password', 'a longer and better one')
      await send()
      await page.waitForSelector('#current_password-error')
      await examine('account-password-refused')
      // Another device, so that the list has a button.
      await fetch(`${pages.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ username: name, password: 'correct horse battery' }),
      })
      await go('/account/sessions')
      await examine('account-sessions-two')
      await go('/sign-out')
      await examine('sign-out')
      await send()
      await page.waitForURL('**/sign-out')
      await examine('signed-out')
      await go('/sign-in?request=x')
      await examine('sign-in-dead')

      expect(complaints.filter((text) => !/status of (?:400|401|403|422)/.test(text))).toEqual([])
      expect(requests.filter((url) => !url.startsWith(`${pages.url}/`) && !url.startsWith('data:'))).toEqual([])
      await close()
    },
    120_000,
  )
})
