import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brandStyle, contrast, parse } from '../../src/pages/brand-color.ts'
import { withApp } from '../support/hooks.ts'
import { scratchFolder } from '../support/scratch.ts'
import { attributes } from './support.ts'

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
const svg =
  '<?xml version="1.0"?>\n<!-- a logo -->\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

const fileOf = (content: Uint8Array | string): string => {
  const path = join(scratchFolder('logo'), 'logo')
  writeFileSync(path, content)
  return path
}

test('BRAND_LOGO is shown on every page, under a policy of its own', async () => {
  const images: [Uint8Array | string, type: string, ending: string][] = [
    [png, 'image/png', 'png'],
    [Buffer.from('ffd8ffe000104a464946', 'hex'), 'image/jpeg', 'jpg'],
    [Buffer.concat([Buffer.from('RIFF'), Buffer.from([10, 0, 0, 0]), Buffer.from('WEBPVP8 ')]), 'image/webp', 'webp'],
    [svg, 'image/svg+xml', 'svg'],
    [`\ufeff<svg width="1">${' '.repeat(65_000)}</svg>`, 'image/svg+xml', 'svg'],
  ]
  for (const [content, type, ending] of images)
    await withApp({ env: { BRAND_LOGO: fileOf(content), APP_NAME: 'Example' } }, async (app) => {
      const html = await (await app.request('GET', '/forgot')).text()
      const [address] = attributes(html, 'src')
      expect(address).toMatch(new RegExp(`^pages/logo-[\\w-]{16}\\.${ending}$`))
      expect(html).toContain(`<img src="${address}" alt/>Example`)
      const answer = await app.request('GET', `/${address}`)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type])
      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      )
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('cache-control')).toContain('immutable')
      expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.from(content as string))).toBe(true)
    })
})

test('BRAND_LOGO: no start with a file that is no such image, too large, or not there', async () => {
  const open = (path: string) => withApp({ env: { BRAND_LOGO: path } }, async () => {})
  await expect(open(fileOf('<html><svg></svg></html>'))).rejects.toThrow('is not a PNG, JPEG, WebP or SVG image')
  await expect(open(fileOf('GIF89a'))).rejects.toThrow('is not a PNG, JPEG, WebP or SVG image')
  await expect(open(fileOf(Buffer.concat([png, Buffer.alloc(65_536)])))).rejects.toThrow('has more than 65536 bytes')
  await expect(open('/nothing/here.png')).rejects.toThrow('BRAND_LOGO /nothing/here.png cannot be read')
})

test('BRAND_COLOR: every colour gives buttons and links that can be read', async () => {
  const valueIn = (style: string, name: string) =>
    [...style.matchAll(new RegExp(`${name}:(#[0-9a-f]{6})`, 'g'))].map(([, color]) => parse(color!))
  const shades = ['00', '33', '66', '77', '99', 'cc', 'ff']
  for (const red of shades)
    for (const green of shades)
      for (const blue of shades) {
        const style = brandStyle(`#${red}${green}${blue}`)
        const [[button], [text], [active], links] = ['button', 'button-text', 'button-active', 'link'].map((name) =>
          valueIn(style, `--${name}`),
        ) as [[Rgb], [Rgb], [Rgb], [Rgb, Rgb]]
        expect(contrast(button, text)).toBeGreaterThanOrEqual(4.5)
        expect(contrast(active, text)).toBeGreaterThanOrEqual(4.5)
        for (const ground of ['#ffffff', '#f3f5f8'])
          expect(contrast(links[0], parse(ground))).toBeGreaterThanOrEqual(4.5)
        for (const ground of ['#1f242a', '#14171b'])
          expect(contrast(links[1], parse(ground))).toBeGreaterThanOrEqual(4.5)
      }
  expect(brandStyle('#ffd500')).toContain('--button-text:#000000')
  expect(brandStyle('#1d5fb8')).toContain('--button:#1d5fb8;--button-text:#ffffff')
  await withApp({ env: { BRAND_COLOR: '#ffd500' } }, async (app) => {
    const [style] = attributes(await (await app.request('GET', '/forgot')).text(), 'href').filter((href) =>
      href.endsWith('.css'),
    )
    expect(await (await app.request('GET', `/${style}`)).text()).toEndWith(brandStyle('#ffd500'))
  })
})

type Rgb = ReturnType<typeof parse>
