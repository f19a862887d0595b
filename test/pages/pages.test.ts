import { afterAll, describe, expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { locales } from '../../src/lib/locale.ts'
import { pagePolicy } from '../../src/pages/policy.ts'
import { createTestApp, type TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest, withApp } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'
import { serve } from '../support/socket.ts'
import { attributes, formOrigins, heading, own, submit } from './support.ts'

const origin = 'https://auth.example.com'
const env = {
  PUBLIC_URL: `${origin}/base`,
  APP_NAME: '<b>Example & "Co"</b>',
  APP_URL: 'https://app.example.com/start',
  SUPPORT_EMAIL: 'help@example.com',
  CORS_ORIGINS: `https://app.example.com,${origin}`,
}

describe('every page', async () => {
  const app: TestApp = await createTestApp({ env, mailbox: true })
  afterAll(() => app.close())
  const pages = app.table.routes.filter(({ page, pattern }) => page && !pattern.includes(':'))
  const ofMethod = (method: string) => pages.filter((page) => page.method === method).map(({ pattern }) => pattern)
  // The pages that begin with a redirect, because they need a cookie, are in test/sign-in, and those between
  // applications in test/openid and test/conformance.
  const needsCookie = (path: string) =>
    /^\/(?:sign-in|sign-up|sign-out|account|authorize|consent|device|end-session)\b/.test(path)
  const forms = ofMethod('POST').filter((path) => !needsCookie(path))
  const shown = ofMethod('GET').filter((path) => !needsCookie(path))
  const styleOf = (html: string) => /<link rel="stylesheet" href="([^"]+)"/.exec(html)![1]!

  test('13.5 is there, with its form', () => {
    expect(shown).toEqual(expect.arrayContaining(['/forgot', '/reset']))
    expect(forms).toEqual(shown)
  })

  test('13.5 has its headers, and none of CORS, also when it refuses', async () => {
    const answers = await Promise.all(
      shown.flatMap((path) => [
        app.request('GET', path, { headers: { origin } }),
        app.request('HEAD', path, { headers: { origin } }),
        app.request('GET', `${path}?a=1&a=2`, { headers: { origin } }),
        app.request('PUT', path, { headers: { origin } }),
        app.request('POST', path, { form: '', headers: { origin: 'https://app.example.com' } }),
        submit(app, path, 'a=1&a=2', { origin }),
        submit(app, path, '', { origin }),
      ]),
    )
    for (const { status, headers } of answers) {
      expect(status).toBeLessThan(500)
      expect(headers.get('content-security-policy')).toBe(pagePolicy)
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(headers.get('vary')).toBe('Accept-Language')
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
    expect(pagePolicy).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
  })

  test('13.5 J1: gives no preflight a header of CORS', async () => {
    for (const path of shown) {
      const asked = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' }
      const { status, headers } = await app.request('OPTIONS', path, { headers: asked })
      expect([status, headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST'])
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  test('13.5 has no script, no inline style and nothing of another host; its links are relative', async () => {
    for (const path of shown) {
      const html = await (await app.request('GET', path)).text()
      expect(html).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i)
      expect(styleOf(html)).toMatch(/^pages\/style-[\w-]{16}\.css$/)
      for (const address of [...attributes(html, 'href'), ...attributes(html, 'src'), ...attributes(html, 'action')])
        expect(address).toMatch(/^(?:[a-z]+(?:\/[\w.-]+)?|mailto:help@example\.com|data:image\/svg\+xml,.*)$/)
    }
  })

  test('13.5 escapes text of the settings and of the form', async () => {
    const typed = '"><script>alert(1)</script>'
    const html = await (await submit(app, '/forgot', { email: typed })).text()
    expect(html).toContain('&lt;b>Example &amp; &quot;Co&quot;&lt;/b>')
    expect(html).toContain('value="&quot;>&lt;script>')
    expect(html).not.toMatch(/<script|<b>/)
  })

  test('13.5 is in the language that the browser asks for', async () => {
    const titles = new Set<unknown>()
    for (const locale of locales) {
      const answer = await app.request('GET', '/forgot', { headers: { 'accept-language': `tlh, ${locale}-XX;q=0.8` } })
      expect(answer.headers.get('content-language')).toBe(locale)
      const html = await answer.text()
      expect(html).toContain(`<html lang="${locale}">`)
      titles.add(/<h1>(.*?)<\/h1>/.exec(html)![1])
    }
    expect(titles.size).toBe(locales.length)
    expect(await (await app.request('GET', '/forgot')).text()).toContain('<html lang="en">')
  })

  test('13.5 says refusals as a page: a method, a media type, a size, a broken form, a query', async () => {
    const type = 'application/x-www-form-urlencoded'
    const [form, address] = [
      'Go back, and send the form again.',
      'Check the address, or use the link of the mail again.',
    ]
    const refused: [Response, number, string][] = [
      [await app.request('PUT', '/forgot'), 405, address],
      [await app.request('DELETE', '/forgot'), 405, address],
      [await app.request('POST', '/forgot', { json: { email: 'ada@example.com' }, headers: own }), 415, form],
      [await app.request('POST', '/forgot', { body: 'x'.repeat(65_537), type, headers: own }), 413, form],
      [await submit(app, '/forgot', 'email=a&email=b'), 400, form],
      [await submit(app, '/forgot', 'email=%ff'), 400, form],
      [await app.request('GET', '/forgot?a=%zz'), 400, address],
    ]
    for (const [answer, status, text] of refused) {
      const html = await answer.text()
      expect([answer.status, html.includes('<h1>This page could not read the request</h1>')]).toEqual([status, true])
      expect(html).toContain(text)
    }
    expect(refused[0]![0].headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST')
  })

  test('13.5 a client that takes no HTML gets a refusal as a problem document, also of a form', async () => {
    const codes = { PUT: [405, 'method_not_allowed'], POST: [403, 'csrf_refused'], GET: [400, 'invalid_request'] }
    for (const path of shown)
      for (const [method, told] of Object.entries(codes))
        for (const accept of ['application/json', 'application/json, text/html;q=0, */*;q=0.0', 'text/plain']) {
          const answer = await app.request(method, `${path}?a=1&a=2`, { headers: { accept } })
          expect([path, accept, answer.headers.get('content-type')]).toEqual([path, accept, 'application/problem+json'])
          expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual(told)
        }
    for (const accept of [
      'text/html',
      'text/css,*/*;q=0.1',
      'TEXT/HTML;q=0.5',
      'image/png, text/*',
      'application/json, */*',
    ])
      expect((await app.request('PUT', '/forgot', { headers: { accept } })).headers.get('content-type')).toContain(
        'html',
      )
    expect(
      (await app.request('PUT', '/users/me', { headers: { accept: 'text/html' } })).headers.get('content-type'),
    ).toBe('application/problem+json')
  })

  test('13.5 says every refusal in the language of the browser, as a page with its headers', async () => {
    const german = { 'accept-language': 'de', 'x-request-id': 'known' }
    const unread = 'Die Anfrage war nicht lesbar'
    for (const path of shown) {
      const refused: [Response, number, string][] = [
        [await app.request('PUT', path, { headers: german }), 405, unread],
        [await app.request('POST', path, { json: {}, headers: { ...own, ...german } }), 415, unread],
        [await app.request('GET', `${path}//`, { headers: german }), 404, 'Diese Seite gibt es nicht'],
        [
          await app.request('POST', path, { form: '', headers: german }),
          403,
          'Das Formular kam nicht von dieser Seite',
        ],
      ]
      for (const [answer, status, title] of refused) {
        expect(answer.headers.get('content-language')).toBe('de')
        expect(answer.headers.get('content-security-policy')).toBe(pagePolicy)
        expect(answer.headers.get('x-request-id')).toBe('known')
        expect(answer.headers.get('referrer-policy')).toBe('same-origin')
        expect(await heading(answer)).toEqual([status, title])
      }
    }
  })

  test('13.5 a slash too many leads to the page, with no header of CORS, and the page finds its style sheet', async () => {
    for (const path of shown) {
      const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'POST' }
      const answers = await Promise.all(
        ['GET', 'HEAD', 'POST', 'OPTIONS'].map((method) => app.request(method, `${path}/?token=x`, { headers })),
      )
      expect(answers.map(({ status }) => status)).toEqual([307, 307, 307, 204])
      for (const answer of answers) {
        expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
        expect(answer.headers.get('referrer-policy')).toBe('same-origin')
      }
      const { headers: led } = answers[0]!
      const url = new URL(led.get('location')!, `${origin}/base${path}/`)
      expect(`${url}`).toBe(`${origin}/base${path}?token=x`)
      const style = styleOf(await (await app.request('GET', `${path}//`)).text())
      expect(new URL(style, `${origin}/base${path}//`).pathname).toMatch(/^\/base\/pages\/style-[\w-]{16}\.css$/)
    }
  })

  describe('13.5 I2, CSRF: a form is accepted from own pages only', () => {
    test.each(formOrigins(origin, '/base'))('%s', async (_, headers, accepted) => {
      for (const path of forms) {
        const mails = await app.rows.mails.count()
        const answer = await app.request('POST', path, { form: { email: 'no address', token: 'x' }, headers })
        if (accepted) expect([400, 422]).toContain(answer.status)
        else {
          expect(await heading(answer)).toEqual([403, 'The form was not sent from this page'])
          // Refused before the body is read.
          const large = await app.request('POST', path, { body: 'x'.repeat(70_000), type: 'text/plain', headers })
          expect(large.status).toBe(403)
        }
        expect(await app.rows.mails.count()).toBe(mails)
      }
    })

    test('the log and the metrics have its code', async () => {
      await app.request('POST', '/forgot', { form: '' })
      expect(JSON.parse(app.logs.at(-1)!)).toMatchObject({ route: '/forgot', status: 403, code: 'csrf_refused' })
    })
  })

  test('13.5 has one style sheet of at most 20 kB, cached until it changes', async () => {
    const address = styleOf(await (await app.request('GET', '/forgot')).text())
    const answer = await app.request('GET', `/${address}`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8'])
    expect(answer.headers.get('cache-control')).toContain('immutable')
    const css = await answer.text()
    expect(Buffer.byteLength(css)).toBeLessThanOrEqual(20_000)
    expect(css).not.toMatch(/url\(|@import|@font-face/)
    const old = await app.request('GET', '/pages/style.css', { headers: { accept: 'text/css,*/*;q=0.1' } })
    expect([old.status, old.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
  })
})

test('13.5 a malformed Host header is refused as a page, in the language of the browser', () =>
  withApp({ env }, async (app) => {
    const served = serve(app)
    try {
      for (const [path, type] of [
        ['/reset?token=x', 'text/html; charset=utf-8'],
        ['/forgot/', 'text/html; charset=utf-8'],
        ['/users/me', 'application/problem+json'],
      ])
        for (const method of ['GET', 'HEAD', 'POST']) {
          const lines = `${method} ${path} HTTP/1.1\r\nHost: a b\r\nAccept-Language: fr\r\nConnection: close\r\n\r\n`
          const { status, headers, body } = await served.raw(lines)
          expect([path, method, status, headers.get('content-type')]).toEqual([path!, method, 400, type!])
          if (type!.startsWith('text/html')) expect(headers.get('content-language')).toBe('fr')
          expect(body.includes('<html lang="fr">')).toBe(type!.startsWith('text/html') && method !== 'HEAD')
        }
    } finally {
      await served.stop()
    }
  }))

describeEachDialect('pages while the database is busy', (dialect) => {
  const apps = appsPerTest()

  test('13.5 are 503, in the language of the browser, with a link to try again', async () => {
    let isBusy = false
    const store = watchStatements((sql) => {
      if (isBusy && sql.includes('"proofs"')) throw new KeywardError('database_busy')
    })
    const app = await apps.open({ dialect, env, replace: { store } })
    isBusy = true
    const token = `kwm_${'x'.repeat(43)}`
    for (const path of ['/reset', '/verify', '/confirm', '/undo', '/invite']) {
      const answer = await app.request('GET', `${path}?token=${token}&a=%2F`, { headers: { 'accept-language': 'es' } })
      expect(answer.headers.get('retry-after')).toBe('1')
      const html = await answer.text()
      expect([answer.status, html.includes('<html lang="es">')]).toEqual([503, true])
      expect(attributes(html, 'href')).toContain(`${path.slice(1)}?token=${token}&amp;a=%2F`)
      const typed = { token, password: 'correct horse battery' }
      const posted = await submit(app, path, typed, { 'accept-language': 'fr' })
      expect([posted.status, posted.headers.get('content-language')]).toEqual([503, 'fr'])
      expect(posted.headers.get('content-type')).toBe('text/html; charset=utf-8')
    }
  })
})

test('13.5 PAGES=off: there is no page', () =>
  withApp({ env: { ...env, PAGES: 'off' } }, async (app) => {
    expect(app.table.routes.filter(({ page }) => page)).toEqual([])
    for (const path of ['/forgot', '/reset?token=x', '/verify', '/confirm', '/undo', '/invite', '/pages/style.css'])
      for (const method of ['GET', 'HEAD', 'POST'])
        expect([path, (await app.request(method, path, { headers: own })).status]).toEqual([path, 404])
  }))
