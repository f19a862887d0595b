import { describe, expect, test } from 'bun:test'
import { hasPrograms } from '../support/programs.ts'
import { openPage } from './chromium.ts'
import { pagesPerSuite } from './mailed-links.ts'

describe.skipIf(!hasPrograms('chromium'))('13.5 the pages of the executable in Chromium', () => {
  const pages = pagesPerSuite()

  test('by the keyboard alone, without scripts, from the forgotten password to the new one', async () => {
    const email = await pages.register('ada')
    const { page, complaints, close } = await openPage({ javaScriptEnabled: false })
    await page.goto(`${pages.url}/forgot`)
    await page.keyboard.press('Tab')
    await page.keyboard.type(email)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/forgot?sent')
    await page.goto(`${pages.url}${await pages.linkTo(email, 'reset')}`)
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
    expect((await fetch(`${pages.url}/token`, { method: 'POST', body: form })).status).toBe(200)
    expect(complaints.filter((text) => !text.includes('status of 422'))).toEqual([])
    await close()
  }, 60_000)

  test('by the keyboard alone: proves an address with the password, and with a new one', async () => {
    const { page, close } = await openPage()
    await page.goto(`${pages.url}${await pages.verifyLink('eve')}`)
    await page.keyboard.press('Tab')
    await page.keyboard.type('correct horse battery')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/verify?done')
    await page.goto(`${pages.url}${await pages.verifyLink('bob')}`)
    for (const key of ['Tab', 'Tab', 'Tab', 'Enter', 'Tab']) await page.keyboard.press(key)
    await page.keyboard.type('a longer and better one')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/verify?done')
    const form = new URLSearchParams({ username: 'bob', password: 'a longer and better one' })
    expect((await fetch(`${pages.url}/token`, { method: 'POST', body: form })).status).toBe(200)
    await close()
  }, 60_000)

  test('a form on another site is refused, and its frame stays empty', async () => {
    const { page, close } = await openPage()
    await page.route('http://evil.example/**', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${pages.url}/forgot"><input name="email" value="ada@example.com"><button>x</button></form><iframe src="${pages.url}/forgot"></iframe>`,
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
