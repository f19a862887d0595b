import { describe, expect, test } from 'bun:test'
import { hasPrograms } from '../support/programs.ts'
import { accessibilityProblems } from './accessibility.ts'
import { openPage, screenshot } from './chromium.ts'
import { pagesPerSuite } from './mailed-links.ts'

describe.skipIf(!hasPrograms('chromium'))('13.5 the pages of the executable in Chromium', () => {
  const pages = pagesPerSuite()
  const small = { width: 320, colorScheme: 'light' } as const
  const large = { width: 1280, colorScheme: 'dark' } as const
  const looks = [
    { locale: 'en', ...small },
    { locale: 'ja', ...large },
    // The other looks are for the eye.
    ...(process.env.KEYWARD_SCREENSHOTS
      ? [
          { locale: 'ja', ...small },
          { locale: 'en', ...large },
          { locale: 'ja', width: 320, colorScheme: 'dark' } as const,
          { locale: 'en', width: 1280, colorScheme: 'light' } as const,
          ...['de', 'fr', 'es'].flatMap((locale) => [
            { locale, ...small },
            { locale, ...large },
          ]),
        ]
      : []),
  ]
  let links: Record<'reset' | 'verify' | 'confirm' | 'undo' | 'invite', string> | undefined

  test.each(looks)(
    'in $locale, $colorScheme, $width pixels wide: nothing overflows, and axe-core finds nothing',
    async ({ locale, colorScheme, width }) => {
      links ??= {
        reset: await pages.resetLink('maria'),
        verify: await pages.verifyLink('mario'),
        confirm: (await pages.addressLinks('marco', 'polo@new.example')).confirm,
        undo: await pages.undoLink('marta'),
        invite: await pages.linkTo('chief@example.com', 'invite'),
      }
      const viewport = { width, height: 800 }
      const { page, complaints, requests, close } = await openPage({ locale, colorScheme, viewport })
      const examine = async (name: string) => {
        await screenshot(page, `${name}-${locale}-${colorScheme}-${width}`)
        expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
        expect(await page.evaluate('document.documentElement.lang')).toBe(locale)
      }
      const go = (path: string) => page.goto(`${pages.url}${path}`)
      const send = (at = 0) => page.locator('button').nth(at).click()

      await go('/forgot')
      await examine('forgot')
      await page.fill('#email', 'no address')
      await send()
      await page.waitForSelector('#email-error')
      expect(await page.evaluate('document.activeElement.id')).toBe('email')
      await examine('forgot-refused')
      await go('/forgot?sent')
      await examine('forgot-sent')
      await go(links.reset)
      await examine('reset')
      await page.fill('#password', 'password')
      await send()
      await page.waitForSelector('#password-error')
      expect(await page.evaluate('document.activeElement.id')).toBe('password')
      await examine('reset-refused')
      await go('/reset?token=kwm_old')
      await examine('reset-dead')
      await go('/reset?done')
      await examine('reset-done')
      await go(links.verify)
      await examine('verify')
      await page.fill('#password', 'not the password')
      await send()
      await page.waitForSelector('#password-error')
      await examine('verify-refused')
      await page.click('summary')
      await page.fill('#new_password', 'short')
      await send(1)
      await page.waitForSelector('#new_password-error')
      expect(await page.evaluate('document.activeElement.id')).toBe('new_password')
      await examine('verify-other')
      await go('/verify?done')
      await examine('verify-done')
      for (const name of ['confirm', 'undo'] as const) {
        await go(links[name])
        await examine(name)
        await go(`/${name}?done`)
        await examine(`${name}-done`)
      }
      await go(links.invite)
      await examine('invite')
      await page.fill('#username', 'x')
      await page.fill('#password', 'short')
      await send()
      await page.waitForSelector('#username-error')
      expect(await page.evaluate('document.activeElement.id')).toBe('username')
      await examine('invite-refused')
      await go('/invite?token=kwm_old')
      await examine('invite-dead')
      await go('/invite?done')
      await examine('invite-done')
      await go('/undo?token=kwm_old')
      await examine('undo-dead')

      expect(complaints.filter((text) => !/status of (?:400|403|422)/.test(text))).toEqual([])
      expect(requests.filter((url) => !url.startsWith(`${pages.url}/`) && !url.startsWith('data:'))).toEqual([])
      await close()
    },
    120_000,
  )
})
