import { describe, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { permissions, policyOf } from '../../src/pages/policy.ts'
import { scriptFile, scriptFiles } from '../../src/pages/scripts.ts'
import style from '../../src/pages/style.css' with { type: 'text' }
import { appPerSuite } from '../support/hooks.ts'

const zipped = (text: string) => gzipSync(text, { level: 9 }).byteLength

describe('the scripts and the style sheet of the pages', () => {
  const app = appPerSuite()

  test('are small: all scripts within 10 kB compressed, the style sheet within 20 kB and 5 kB compressed', () => {
    const sizes = [...scriptFiles.values()].map(zipped)
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(10_000)
    expect(zipped(scriptFiles.get(scriptFile('passkey'))!)).toBeLessThan(3_000)
    expect(style.length).toBeLessThan(20_000)
    expect(zipped(style)).toBeLessThan(5_000)
  })

  test('are files of this version, which browsers keep', async () => {
    for (const [name, text] of scriptFiles) {
      const answer = await app.request('GET', `/pages/${name}`)
      expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(await answer.text()).toBe(text)
      // None makes a script or markup out of text, asks another host, or stores anything.
      expect(text).not.toMatch(/eval|Function\(|innerHTML|outerHTML|insertAdjacent|document\.write|https?:|Storage/)
    }
    for (const name of ['passkey.js', 'passkey-AAAAAAAAAAAAAAAA.js'])
      expect((await app.request('GET', `/pages/${name}`)).status).toBe(404)
  })

  test('run only on pages that load one, and only one of them may send requests', async () => {
    const rest = "style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    const safe = "require-trusted-types-for 'script'; trusted-types 'none';"
    const policy = (script: 'passkey' | 'codes') => policyOf({ formAction: undefined, script })
    expect(policy('codes')).toBe(`default-src 'none'; script-src 'self'; ${safe} ${rest}`)
    expect(policy('passkey')).toBe(`default-src 'none'; script-src 'self'; connect-src 'self'; ${safe} ${rest}`)
    expect(permissions).toBe('publickey-credentials-get=(self), publickey-credentials-create=(self)')
    const { headers } = await app.request('GET', '/forgot')
    expect(headers.get('permissions-policy')).toBe(permissions)
    expect(headers.get('content-security-policy')).not.toContain('script-src')
  })
})
