import { describe, expect, test } from 'bun:test'
import { hasPrograms } from '../support/programs.ts'
import { accessibilityProblems } from './accessibility.ts'
import { looks, openPage, screenshot } from './chromium.ts'
import { pagesPerSuite } from './mailed-links.ts'

describe.skipIf(!hasPrograms('chromium'))('the pages to log in and of the account, in Chromium', () => {
  const pages = pagesPerSuite({ TERMS_URL: 'http://localhost/terms', PRIVACY_URL: 'http://localhost/privacy' })

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

  test('by the keyboard alone, without scripts: from the account to the login, and on the way back', async () => {
    await pages.register('kay')
    const { page, complaints, close } = await openPage({ javaScriptEnabled: false })
    await page.goto(`${pages.url}/account/profile`)
    // What password managers read.
    const form = page.locator('form').first()
    expect(await form.getAttribute('method')).toBe('post')
    const [username, password] = [page.locator('#username'), page.locator('#password')]
    expect(await username.getAttribute('autocomplete')).toBe('username webauthn')
    expect([await password.getAttribute('type'), await password.getAttribute('autocomplete')]).toEqual([
      'password',
      'current-password',
    ])
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    await press('Tab')
    await page.keyboard.type('kay')
    await press('Tab')
    await page.keyboard.type('correct horse battery')
    await press('Tab', 'Space', 'Tab', 'Enter')
    await page.waitForURL('**/account/profile')
    const cookies = await page.context().cookies()
    const session = cookies.find(({ name }) => name === 'keyward')!
    // "Keep me logged in" was checked by the keyboard.
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
    expect(session.expires).toBeGreaterThan(Date.now() / 1_000 + 29 * 86_400)
    // Back to the form of the login, which leads on at once.
    await page.goBack()
    await page.reload()
    await page.waitForURL('**/account/profile')
    await press('Tab', 'End')
    await page.keyboard.type('2')
    await press('Enter')
    await page.waitForURL('**/profile?saved')
    expect(await page.locator('[role=status]').textContent()).toBe('Your changes are saved.')
    expect(complaints).toEqual([])
    await close()
  }, 60_000)

  test('two tabs with two requests, and a form that another site sends', async () => {
    await pages.register('two')
    const { page, close } = await openPage()
    const other = await page.context().newPage()
    await page.goto(`${pages.url}/account/address`)
    await other.goto(`${pages.url}/account/sessions`)
    for (const [tab, path] of [
      [page, 'address'],
      [other, 'sessions'],
    ] as const) {
      await tab.fill('#username', 'two')
      await tab.fill('#password', 'correct horse battery')
      await tab.locator('main button').first().click()
      await tab.waitForURL(`**/account/${path}`)
    }
    await page.route('http://evil.example/**', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${pages.url}/account/delete"><button>x</button></form><iframe src="${pages.url}/account"></iframe>`,
      }),
    )
    await page.goto('http://evil.example/')
    expect(page.frames()[1]!.url()).toStartWith('chrome-error:')
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.click('button')
    expect((await answered).status()).toBe(403)
    await other.reload()
    expect(await other.locator('h1').textContent()).toBe('Logged-in devices')
    await close()
  }, 60_000)
})
