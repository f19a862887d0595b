import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { chapterFiles, guideSecurityPolicy } from '../../src/features/documentation/guide.ts'
import { createTestApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const names = Object.keys(chapterFiles)
const get = (name: string) => app.request('GET', `/docs/guide/${name}`)
const htmlOf = async (name: string) => (await get(name)).text()
const sourceOf = (name: string) => Bun.file(chapterFiles[name]!).text()

/** Addresses of a page's links and files, resolved as a browser does. */
const addressesIn = (html: string, page: string) =>
  [...html.matchAll(/(?:href|src)="([^"]*)"/g)]
    .filter(([, to]) => !to!.startsWith('data:'))
    .map(([, to]) => new URL(to!.replaceAll('&amp;', '&'), page))

describe('the guide', () => {
  test.each(names)('serves "%s" as a page, with a policy that forbids scripts', async (name) => {
    const response = await get(name)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('public, no-cache')
    expect(response.headers.get('content-security-policy')).toBe(guideSecurityPolicy)
    const html = await response.text()
    expect(html).not.toMatch(/<script|<style|<[^>]*\s(?:style|on\w+)=|<!--/)
    expect(html).toContain('<html lang="en">')
    expect(html).toContain('<a class="skip" href="#text">')
    expect(html).toContain('<main id="text"')
    expect(html).toContain(manifest.version)
    expect(html.match(/<h1/g)).toHaveLength(1)
    expect(html.match(/aria-current="page"/g)).toHaveLength(1)
  })

  test('allows only its own style and an icon', () => {
    expect(guideSecurityPolicy).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
  })

  test('has a different title for every page', async () => {
    const titles = await Promise.all(names.map(async (name) => /<title>(.*)<\/title>/.exec(await htmlOf(name))?.[1]))
    expect(new Set(titles).size).toBe(names.length)
    expect(titles).not.toContain('')
  })

  test('serves every file of its folder under its own name', () => {
    const folder = dirname(chapterFiles['']!)
    const files = Object.entries(chapterFiles).map(([name, path]) => [basename(path), name])
    expect(files).toEqual(Object.keys(chapterFiles).map((name) => [name === '' ? 'README.md' : `${name}.md`, name]))
    expect(readdirSync(folder).sort()).toEqual(files.map(([file]) => file!).sort())
  })

  test('lists every chapter in its contents, in order, with a description', async () => {
    const lines = [...(await sourceOf('')).matchAll(/^\d+\. \[([^\]]+)\]\(([\w-]+)\.md\): (.{10,})$/gm)]
    expect(lines.map(([, , name]) => name!)).toEqual(names.slice(1))
    for (const [, title, name] of lines) expect(await sourceOf(name!)).toStartWith(`# ${title}\n`)
  })

  test('has no broken link, served at the root and below a path', async () => {
    const anchors = new Map<string, Set<string>>()
    for (const name of names)
      anchors.set(name, new Set([...(await htmlOf(name)).matchAll(/id="([^"]+)"/g)].map(([, id]) => id!)))
    for (const name of names)
      for (const base of ['http://keyward.test/', 'http://proxy.test/some/path/']) {
        const own = addressesIn(await htmlOf(name), `${base}docs/guide/${name}`).filter(({ href }) =>
          /^http:\/\/\w+\.test/.test(href),
        )
        expect(own.length).toBeGreaterThan(names.length)
        for (const { href, hash } of own) {
          expect(href).toStartWith(base)
          const path = href.slice(base.length).replace(/#.*/, '')
          expect([name, path, (await app.request('GET', `/${path}`)).status]).toEqual([name, path, 200])
          if (hash !== '') expect([...anchors.get(path.replace('docs/guide/', ''))!]).toContain(hash.slice(1))
        }
      }
  })

  test('has no broken link on GitHub', async () => {
    // The anchor that GitHub makes of a heading.
    const anchorsOf = (text: string) =>
      [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        heading!
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      )
    for (const name of names) {
      const text = await sourceOf(name)
      for (const [, file, anchor] of text.matchAll(/\]\((?!https?:)([\w-]*)(?:\.md)?(?:#([\w-]+))?\)/g)) {
        const target = file === '' ? name : file === 'README' ? '' : file!
        expect(names).toContain(target)
        if (anchor !== undefined) expect(anchorsOf(await sourceOf(target))).toContain(anchor)
      }
    }
  })

  test('puts tables and code into boxes that scroll and can be focused', async () => {
    const html = await htmlOf('settings')
    expect(html).toContain('<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>')
    expect(html.match(/<div class="scroll"/g)).toHaveLength(html.match(/<table>/g)!.length)
    expect(await htmlOf('quick-start')).not.toContain('<pre>')
  })

  test('has an anchor at every heading', async () => {
    expect(await htmlOf('security')).toContain(
      '<h2 id="audit-log">Audit log <a class="anchor" href="#audit-log" aria-label="Link to this section">#</a></h2>',
    )
  })

  test.each(['nothing', 'README', 'README.md', 'settings.md', 'Settings', '...', 'constructor', '__proto__'])(
    'has no %s',
    async (name) => {
      expect((await get(name)).status).toBe(404)
    },
  )

  test('redirects from the address without the slash to its contents, below a path too', async () => {
    const response = await app.request('GET', '/docs/guide')
    expect([response.status, response.headers.get('location')]).toEqual([308, 'guide/'])
  })

  test('is linked from the API reference and links back', async () => {
    expect(await (await app.request('GET', '/docs')).text()).toContain('<a href="docs/guide/">Guide</a>')
    expect(await htmlOf('settings')).toContain('<a href="../../docs">API reference</a>')
  })

  test('answers 304 to a client that has the page, and is compressed', async () => {
    const first = await app.request('GET', '/docs/guide/security', { headers: { 'accept-encoding': 'gzip' } })
    expect(first.headers.get('content-encoding')).toBe('gzip')
    const etag = first.headers.get('etag')!
    const headers = { 'accept-encoding': 'gzip', 'if-none-match': etag }
    expect((await app.request('GET', '/docs/guide/security', { headers })).status).toBe(304)
  })
})
