import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { gunzipSync } from 'node:zlib'
import { pageSecurityPolicy } from '../../src/features/documentation/page.ts'
import { createTestApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await createTestApp()
})
afterAll(() => app.close())

const page = async () => (await app.request('GET', '/docs')).text()
const files = async () =>
  [...(await page()).matchAll(/(?:src|href)="(docs\/[^"]+\.\w+)"/g)].map((match) => `/${match[1]}`)

describe('the documentation', () => {
  test('J2: is a page with a strict policy and nothing inline', async () => {
    const response = await app.request('GET', '/docs')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-security-policy')).toBe(pageSecurityPolicy)
    expect(pageSecurityPolicy).not.toContain('unsafe')
    const html = await response.text()
    expect(html).toContain('<title>Keyward API</title>')
    expect(html).not.toMatch(/<style|style=|<script>|\son\w+=|src="(?!docs\/)|https?:/)
  })

  test('has files with the hash of their content in the name, cached forever', async () => {
    const paths = await files()
    expect(paths.map((path) => path.replace(/-[\w-]{16}\./, '.'))).toEqual([
      '/docs/swagger-ui.css',
      '/docs/page.css',
      '/docs/swagger-ui-bundle.js',
      '/docs/page.js',
    ])
    for (const path of paths) {
      const response = await app.request('GET', path)
      expect(response.status).toBe(200)
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(response.headers.get('content-type')).toBe(
        path.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
      )
      expect((await response.text()).length).toBeGreaterThan(100)
    }
  })

  test.each(['/docs/swagger-ui.css', '/docs/page-AAAAAAAAAAAAAAAA.js', '/docs/..%2f..%2fpackage.json', '/docs//'])(
    'has no %s',
    async (path) => {
      expect((await app.request('GET', path)).status).toBe(404)
    },
  )

  test('is compressed only for clients that accept it', async () => {
    const plain = await app.request('GET', '/openapi.json')
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(plain.headers.get('vary')).toBe('Accept-Encoding')
    const text = await plain.text()
    const ask = (encodings: string) =>
      app.request('GET', '/openapi.json', { headers: { 'accept-encoding': encodings } })
    for (const encodings of ['gzip', 'br, GZIP;q=0.5', 'deflate,gzip']) {
      const response = await ask(encodings)
      expect(response.headers.get('content-encoding')).toBe('gzip')
      expect(gunzipSync(await response.bytes()).toString()).toBe(text)
      expect(response.headers.get('etag')).not.toBe(plain.headers.get('etag'))
    }
    for (const encodings of ['br', 'gzip;q=0', 'br, gzip; q=0.0', 'xgzip', ''])
      expect((await ask(encodings)).headers.get('content-encoding')).toBeNull()
  })

  test.each(['/docs', '/openapi.json'])('answers 304 to a client that has %s', async (path) => {
    const first = await app.request('GET', path)
    expect(first.headers.get('cache-control')).toBe('public, no-cache')
    const etag = first.headers.get('etag')!
    expect(etag).toMatch(/^"[\w-]{16}"$/)
    const again = (tags: string) => app.request('GET', path, { headers: { 'if-none-match': tags } })
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = await again(tags)
      expect([tags, response.status, await response.text()]).toEqual([tags, 304, ''])
      expect(response.headers.get('etag')).toBe(etag)
    }
    expect((await again('"other"')).status).toBe(200)
  })

  test('answers HEAD with the headers of GET', async () => {
    const get = await app.request('GET', '/openapi.json')
    const head = await app.request('HEAD', '/openapi.json')
    expect(head.headers.get('etag')).toBe(get.headers.get('etag')!)
    expect(head.headers.get('content-length')).toBe(String((await get.bytes()).byteLength))
    expect(await head.text()).toBe('')
  })
})
