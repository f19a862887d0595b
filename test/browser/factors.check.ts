import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { codeAt, stepAt } from '../../src/features/factors/totp.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { fromBase32 } from '../../src/lib/encoding.ts'
import { hasPrograms } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'
import { accessibilityProblems } from './accessibility.ts'
import { openPage, screenshot } from './chromium.ts'
import { pagesPerSuite } from './mailed-links.ts'

const password = 'correct horse battery'
const STEP = 30 * SECOND

describe.skipIf(!hasPrograms('chromium', 'zbarimg'))('the pages of second factors, in Chromium', () => {
  const pages = pagesPerSuite()
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
          { locale: 'en', width: 390, colorScheme: 'dark' } as const,
        ]
      : []),
  ]

  /** The secret that a phone reads from a picture of the page. */
  async function scan(page: Page): Promise<Uint8Array> {
    const file = join(scratchFolder('qr'), 'page.png')
    await page.screenshot({ path: file, fullPage: true })
    const read = Bun.spawnSync(['zbarimg', '--quiet', '--raw', file]).stdout.toString().trim()
    expect(read).toStartWith('otpauth://totp/Example:')
    return fromBase32(new URL(read).searchParams.get('secret')!)!
  }

  /** A code of an app, of a step after those that were used. */
  function codesOf(secret: Uint8Array) {
    let last = 0
    return async (): Promise<string> => {
      last = Math.max(last + 1, stepAt(Date.now() - STEP))
      const ahead = last - stepAt(Date.now())
      if (ahead > 1) await Bun.sleep((ahead - 1) * STEP)
      return codeAt(secret, last)
    }
  }

  test.each(looks)(
    'in $locale, $colorScheme, $width pixels wide: an app is added by its picture and used; axe-core finds nothing',
    async ({ locale, colorScheme, width }) => {
      const options = { locale, colorScheme, viewport: { width, height: 800 } }
      const { page, complaints, requests, close } = await openPage(options)
      const examine = async (name: string) => {
        await screenshot(page, `factors-${name}-${locale}-${colorScheme}-${width}`)
        expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
      }
      const go = (path: string) => page.goto(`${pages.url}${path}`)
      const send = (what: string) => page.locator(`form:has(input[name=do][value=${what}]) button`).click()
      const submit = () => page.locator('main form:not([hidden]) button').first().click()
      const name = `fay-${locale}-${width}-${colorScheme}`
      await pages.register(name)
      await go('/sign-in')
      await page.fill('#username', name)
      await page.fill('#password', password)
      await submit()
      await page.waitForURL('**/account')

      await go('/account/security')
      await examine('none')
      await send('totp')
      await page.waitForSelector('.qr')
      await examine('totp')
      const code = codesOf(await scan(page))
      await page.fill('#code', '000000')
      await submit()
      await page.waitForSelector('#code-error')
      await examine('totp-wrong')
      await page.fill('#code', await code())
      await submit()
      await page.waitForSelector('.codes')
      await examine('codes')
      const recovery = await page.locator('.codes code').first().textContent()
      const [file] = await Promise.all([page.waitForEvent('download'), page.locator('a[download]').click()])
      expect(file.suggestedFilename()).toEndWith('.txt')
      expect(await Bun.file((await file.path())!).text()).toContain(recovery!)
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      await page.locator('[data-copied] button').first().click()
      await page.locator('[role=status]:not(:empty)').waitFor()
      expect(await page.evaluate('navigator.clipboard.readText()')).toContain(recovery)
      // The page cannot be left by its button before the box is checked.
      await submit()
      expect(await page.locator('.codes').count()).toBe(1)
      await page.check('#saved')
      await submit()
      await page.waitForURL('**/account/security?added=')
      await examine('added')
      await page.locator('.list a').first().click()
      await page.waitForSelector('#name')
      await examine('factor')
      await send('remove')
      await page.waitForSelector('#password-error')
      await examine('factor-refused')

      await page.context().clearCookies()
      await go('/sign-in')
      await page.fill('#username', name)
      await page.fill('#password', password)
      await submit()
      await page.waitForSelector('#otp')
      await examine('second')
      await page.fill('#otp', '000000')
      await submit()
      await page.waitForSelector('#otp-error')
      await examine('second-wrong')
      await page.locator('.links a').first().click()
      await page.waitForSelector('#recovery_code')
      await examine('second-recovery')
      await page.locator('.links a').first().click()
      await page.fill('#otp', await code())
      await submit()
      await page.waitForURL('**/account')
      await go('/sign-in/second')
      await examine('second-dead')

      expect(complaints.filter((text) => !/status of (?:400|401|403|422)/.test(text))).toEqual([])
      expect(requests.filter((url) => !url.startsWith(`${pages.url}/`) && !url.startsWith('data:'))).toEqual([])
      await close()
    },
    180_000,
  )
})
