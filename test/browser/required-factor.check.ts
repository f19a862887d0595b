import { describe, expect, test } from 'bun:test'
import { codeAt, stepAt } from '../../src/features/factors/totp.ts'
import { fromBase32 } from '../../src/lib/encoding.ts'
import { hasPrograms } from '../support/programs.ts'
import { accessibilityProblems } from './accessibility.ts'
import { looks, openPage, screenshot } from './chromium.ts'
import { pagesPerSuite } from './mailed-links.ts'

const password = 'correct horse battery'

describe.skipIf(!hasPrograms('chromium'))('a login that must add a second factor, in Chromium', () => {
  const suite = pagesPerSuite({
    REQUIRE_SECOND_FACTOR: 'all',
    SECOND_FACTOR_GRACE_DAYS: '0',
    TRUSTED_DEVICE_DAYS: '30',
  })

  async function mailedCode(email: string): Promise<string> {
    for (;;) {
      const { mails } = (await (await fetch(`${suite.url}/dev/mailbox.json`)).json()) as {
        mails: { to: string; text: string }[]
      }
      const code = mails.flatMap(({ to, text }) => (to === email ? (/^\s*(\d{6})$/m.exec(text)?.[1] ?? []) : []))[0]
      if (code !== undefined) return code
      await Bun.sleep(50)
    }
  }

  test.each(looks)(
    'in $locale, $colorScheme, $width pixels wide: it adds an app, trusts the device, and proves itself again',
    async ({ locale, colorScheme, width }) => {
      const { page, complaints, close } = await openPage({ locale, colorScheme, viewport: { width, height: 800 } })
      const examine = async (name: string) => {
        await screenshot(page, `required-${name}-${locale}-${colorScheme}-${width}`)
        expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
      }
      const submit = () => page.locator('main form:not([hidden]) button').first().click()
      const name = `gil-${locale}-${width}-${colorScheme}`
      const email = await suite.register(name)
      const logIn = async () => {
        await page.goto(`${suite.url}/sign-in`)
        await page.fill('#username', name)
        await page.fill('#password', password)
        await page.locator('form[action$="sign-in"] button').click()
      }

      await logIn()
      await page.waitForURL('**/sign-in/enroll?**')
      await examine('enroll')
      await submit()
      await page.waitForSelector('#code')
      await examine('mail')
      await page.fill('#code', await mailedCode(email))
      await submit()
      await page.waitForSelector('.qr')
      await examine('app')
      const shown = (await page.locator('main').textContent())!.replaceAll(/\s/g, '')
      const secret = fromBase32(/[A-Z2-7]{32}/.exec(shown)![0])!
      const step = stepAt(Date.now())
      await page.fill('#code', codeAt(secret, step - 1))
      await submit()
      await page.waitForSelector('.codes')
      await page.check('#saved')
      await submit()
      await page.waitForURL(/\/account\??$/)

      await page.goto(`${suite.url}/sign-out`)
      await submit()
      await logIn()
      await page.waitForSelector('#otp')
      await examine('second')
      await page.check('#trust')
      await page.fill('#otp', codeAt(secret, step))
      await submit()
      await page.waitForURL(/\/account\??$/)
      await page.goto(`${suite.url}/account/security`)
      await examine('security')

      await page.goto(`${suite.url}/sign-out`)
      await submit()
      await logIn()
      await page.waitForURL(/\/account\??$/)
      await page.goto(`${suite.url}/account/password`)
      await examine('password')
      await page.locator('a[href*="sign-in/step-up"]').first().click()
      await page.waitForSelector('#otp')
      await examine('step-up')
      await page.fill('#otp', codeAt(secret, step + 1))
      await submit()
      await page.waitForURL('**/account/password')

      expect(complaints).toEqual([])
      await close()
    },
    120_000,
  )
})
