import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chapterFiles } from '../../src/features/documentation/guide.ts'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { hasPrograms } from '../support/programs.ts'
import { accessibilityProblems } from './accessibility.ts'
import { openPage, screenshot } from './chromium.ts'

const names = Object.keys(chapterFiles)
/** The contents, and chapters that together have every kind of element: lists, tables, code, headings of all levels. */
const examined = ['', 'quick-start', 'security']

describe.skipIf(!hasPrograms('chromium'))('the guide of the executable in Chromium', () => {
  let keyward: RunningBinary
  beforeAll(async () => {
    keyward = await startBinary()
  }, 60_000)
  afterAll(() => keyward.stop())

  const looks = [
    { colorScheme: 'light', device: 'a desktop', viewport: { width: 1280, height: 900 } },
    { colorScheme: 'dark', device: 'a phone', viewport: { width: 390, height: 844 } },
  ] as const

  test.each(looks)(
    'is readable on $device in $colorScheme mode, without an error of the browser or axe-core',
    async ({ device, ...options }) => {
      const { page, requests, complaints, close } = await openPage(options)
      const grounds = new Set<unknown>()
      for (const name of names) {
        await page.goto(`${keyward.url}/docs/guide/${name}`)
        await screenshot(page, `guide-${options.colorScheme}-${device.slice(2)}-${name || 'contents'}`)
        grounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
        if (examined.includes(name)) expect([name, await accessibilityProblems(page)]).toEqual([name, []])
        // Wide tables and code scroll inside their boxes, the page does not.
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([
          name,
          options.viewport.width,
        ])
      }
      expect([...grounds]).toEqual([options.colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 27)'])
      expect(complaints).toEqual([])
      expect(requests.filter((url) => !url.startsWith(`${keyward.url}/docs/`) && !url.startsWith('data:'))).toEqual([])
      await close()
    },
    60_000,
  )

  test('can be read through by its links and by the keyboard', async () => {
    const { page, complaints, close } = await openPage()
    await page.goto(`${keyward.url}/docs`)
    await page.locator('.guide-link a').click()
    await page.waitForURL(`${keyward.url}/docs/guide/`)
    for (const name of names.slice(1)) {
      await page.locator('.turn a', { hasText: '→' }).click()
      await page.waitForURL(`${keyward.url}/docs/guide/${name}`)
    }
    expect(await page.locator('.turn a', { hasText: '→' }).count()).toBe(0)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('text')
    await page.getByRole('link', { name: 'API reference' }).click()
    await page.waitForURL(`${keyward.url}/docs`)
    expect(complaints).toEqual([])
    await close()
  }, 60_000)
})
