import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { hasPrograms } from '../support/programs.ts'
import { openPage, screenshot } from './chromium.ts'

const axe = await Bun.file(join(import.meta.dir, '..', '..', 'node_modules', 'axe-core', 'axe.min.js')).text()

/** The violations that axe-core finds in the page, with their elements. */
async function accessibilityProblems(page: Page): Promise<string[]> {
  // Through the browser's debugger, to which the policy of the page does not apply.
  await page.evaluate(axe)
  const { violations } = (await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as AxeResults
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

describe.skipIf(!hasPrograms('chromium'))('13.5 the pages of the executable in Chromium', () => {
  let keyward: RunningBinary
  beforeAll(async () => {
    const env = { APP_NAME: 'Example', APP_URL: 'http://localhost/app', SUPPORT_EMAIL: 'help@example.com' }
    keyward = await startBinary({ env: { ...env, BCRYPT_COST: '4', RATE_LIMIT: 'off' } })
  }, 60_000)
  afterAll(() => keyward.stop())

  const post = (path: string, json: object) =>
    fetch(`${keyward.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    })
  const register = async (name: string) => {
    const email = `${name}@example.com`
    const answer = await post('/register', { username: name, email, password: 'correct horse battery' })
    expect(answer.status).toBe(201)
    return email
  }
  /** The path of the link in the newest mail to this address. */
  const linkTo = async (email: string, page: string): Promise<string> => {
    for (;;) {
      const { mails } = (await (await fetch(`${keyward.url}/dev/mailbox.json`)).json()) as {
        mails: { to: string; text: string }[]
      }
      const text = mails.find((mail) => mail.to === email && mail.text.includes(`/${page}?token=`))?.text
      if (text) return new RegExp(`/${page}\\?token=[\\w-]+`).exec(text)![0]
      await Bun.sleep(50)
    }
  }
  const resetLink = async (name: string) => {
    const email = await register(name)
    await post('/password/forgot', { email })
    return linkTo(email, 'reset')
  }
  /** The links to confirm a new address and, of another account, to undo the change. */
  const addressLinks = async (name: string, next: string) => {
    const email = await register(name)
    const form = new URLSearchParams({ username: name, password: 'correct horse battery' })
    const login = (await (await fetch(`${keyward.url}/token`, { method: 'POST', body: form })).json()) as {
      access_token: string
    }
    await fetch(`${keyward.url}/users/me`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${login.access_token}` },
      body: JSON.stringify({ email: next }),
    })
    return { email, confirm: await linkTo(next, 'confirm') }
  }
  const undoLink = async (name: string) => {
    const { email, confirm } = await addressLinks(name, `${name}@new.example`)
    expect((await post('/email/change/confirm', { token: confirm.split('=')[1] })).status).toBe(200)
    return linkTo(email, 'undo')
  }
  const verifyLink = async (name: string) => {
    const email = await register(name)
    await post('/email/verification', { email })
    return linkTo(email, 'verify')
  }

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
        ]
      : []),
  ]
  let links: Record<'reset' | 'verify' | 'confirm' | 'undo', string> | undefined

  test.each(looks)(
    'in $locale, $colorScheme, $width pixels wide: nothing overflows, and axe-core finds nothing',
    async ({ locale, colorScheme, width }) => {
      links ??= {
        reset: await resetLink('maria'),
        verify: await verifyLink('mario'),
        confirm: (await addressLinks('marco', 'polo@new.example')).confirm,
        undo: await undoLink('marta'),
      }
      const viewport = { width, height: 800 }
      const { page, complaints, requests, close } = await openPage({ locale, colorScheme, viewport })
      const examine = async (name: string) => {
        await screenshot(page, `${name}-${locale}-${colorScheme}-${width}`)
        expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width])
        expect(await page.evaluate('document.documentElement.lang')).toBe(locale)
      }
      const go = (path: string) => page.goto(`${keyward.url}${path}`)
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
      await go('/undo?token=kwm_old')
      await examine('undo-dead')

      expect(complaints.filter((text) => !/status of (?:400|403|422)/.test(text))).toEqual([])
      expect(requests.filter((url) => !url.startsWith(`${keyward.url}/`) && !url.startsWith('data:'))).toEqual([])
      await close()
    },
    120_000,
  )

  test('by the keyboard alone, without scripts, from the forgotten password to the new one', async () => {
    const email = await register('ada')
    const { page, complaints, close } = await openPage({ javaScriptEnabled: false })
    await page.goto(`${keyward.url}/forgot`)
    await page.keyboard.press('Tab')
    await page.keyboard.type(email)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/forgot?sent')
    await page.goto(`${keyward.url}${await linkTo(email, 'reset')}`)
    await page.keyboard.press('Tab')
    await page.keyboard.type('short')
    await page.keyboard.press('Enter')
    await page.locator('#password-error').waitFor()
    // The field with the error has the focus.
    await page.keyboard.type('a longer and better one')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    await page.waitForURL('**/reset?done')
    expect(await page.getByRole('link', { name: 'Continue to Example' }).getAttribute('href')).toBe(
      'http://localhost/app',
    )
    const form = new URLSearchParams({ username: 'ada', password: 'a longer and better one' })
    expect((await fetch(`${keyward.url}/token`, { method: 'POST', body: form })).status).toBe(200)
    expect(complaints.filter((text) => !text.includes('status of 422'))).toEqual([])
    await close()
  }, 60_000)

  test('by the keyboard alone: proves an address with the password, and with a new one', async () => {
    const { page, close } = await openPage()
    await page.goto(`${keyward.url}${await verifyLink('eve')}`)
    await page.keyboard.press('Tab')
    await page.keyboard.type('correct horse battery')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/verify?done')
    await page.goto(`${keyward.url}${await verifyLink('bob')}`)
    for (const key of ['Tab', 'Tab', 'Tab', 'Enter', 'Tab']) await page.keyboard.press(key)
    await page.keyboard.type('a longer and better one')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/verify?done')
    const form = new URLSearchParams({ username: 'bob', password: 'a longer and better one' })
    expect((await fetch(`${keyward.url}/token`, { method: 'POST', body: form })).status).toBe(200)
    await close()
  }, 60_000)

  test('a form on another site is refused, and its frame stays empty', async () => {
    const { page, close } = await openPage()
    await page.route('http://evil.example/**', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${keyward.url}/forgot"><input name="email" value="ada@example.com"><button>x</button></form><iframe src="${keyward.url}/forgot"></iframe>`,
      }),
    )
    await page.goto('http://evil.example/')
    expect(page.frames()[1]!.url()).toStartWith('chrome-error:')
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.click('button')
    expect((await answered).status()).toBe(403)
    await close()
  }, 60_000)
})
