import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { SECOND } from '../../src/lib/clock.ts'
import { openPage, type WatchedPage } from '../browser/chromium.ts'
import { type ClientOptions, registerClient } from '../openid/support.ts'
import { hasPrograms } from '../support/programs.ts'
import { certificate } from '../support/tls-front.ts'
import { allow, deny, logInOn, signInOn } from './app.ts'
import { providerPerSuite } from './provider.ts'

setDefaultTimeout(60_000)

/**
 * Shows what came, as a page without a script. `/start` is a form of the application itself, and `/onward` redirects to
 * another host.
 */
async function applicationPage(request: Request): Promise<Response> {
  const { pathname, search, searchParams } = new URL(request.url)
  const html = (text: string) =>
    new Response(`<!doctype html><title>App</title><link rel="icon" href="data:,">${text}`, {
      headers: { 'content-type': 'text/html' },
    })
  if (pathname === '/onward')
    return Response.redirect(`https://localhost:${new URL(request.url).port}/cb${search}`, 302)
  if (pathname === '/start') {
    const to = searchParams.get('to')!
    const fields = [...new URL(to).searchParams].map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
    )
    return html(`<form method="post" action="${to.split('?')[0]}">${fields.join('')}<button>Go</button></form>`)
  }
  if (pathname === '/popup')
    return html(`<script>
      addEventListener('message', ({ data }) => { document.title = data })
      if (opener) { opener.postMessage(location.search, '*'); close() }
    </script>`)
  const sent = request.method === 'POST' ? `?${await request.text()}` : search
  return html(`<pre>${request.method} ${sent.replaceAll('&', '&amp;')}</pre>`)
}

describe.skipIf(!hasPrograms('chromium', 'openssl'))('15 the pages between applications, in Chromium', () => {
  const provider = providerPerSuite()
  let secure: Bun.Server<undefined>
  let loopback: Bun.Server<undefined>
  let watched: WatchedPage
  let page: Page

  beforeAll(async () => {
    const { cert, key } = await certificate()
    const serving = { hostname: '127.0.0.1', port: 0, fetch: applicationPage }
    secure = Bun.serve({ ...serving, tls: { cert, key } })
    loopback = Bun.serve(serving)
  })
  afterAll(async () => {
    await secure?.stop(true)
    await loopback?.stop(true)
  })

  const open = async (options: BrowserContextOptions = {}) => {
    watched = await openPage({ ignoreHTTPSErrors: true, ...options })
    page = watched.page
  }
  beforeEach(() => open())
  afterEach(async () => {
    expect(watched.complaints).toEqual([])
    const local = [`https://localhost:${secure.port}`, `http://localhost:${loopback.port}`]
    const hosts = [provider.issuer, secure.url.origin, loopback.url.origin, ...local]
    const elsewhere = watched.requests.filter((url) => !hosts.some((host) => url.startsWith(host)))
    expect(elsewhere.filter((url) => !/^(?:data|com\.example\.app):/.test(url))).toEqual([])
    await watched.close()
  })

  /** The address of an authorization request of a new client. */
  async function requestOf(
    redirectUri: string,
    changed: Record<string, string> = {},
    more: ClientOptions = {},
  ): Promise<string> {
    const client = await registerClient(provider.app, {
      name: 'Shop',
      requiresPkce: more.isPublic === true,
      redirectUri,
      ...more,
    })
    const usual = {
      client_id: client.id,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid',
      state: 'a state',
    }
    const pkce = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' }
    return `${provider.issuer}/authorize?${new URLSearchParams({ ...usual, ...pkce, ...changed })}`
  }
  const https = (path = '/cb') => `${secure.url.origin}${path}`
  const answer = async (on = page) => {
    const [method, sent = ''] = (await on.locator('pre').textContent())!.split(' ')
    return { method, ...Object.fromEntries(new URLSearchParams(sent)) }
  }
  const granted = (state = 'a state') => ({ code: expect.any(String), state, iss: provider.issuer })

  test('after consent, a browser follows to https, also when that page redirects on', async () => {
    await page.goto(await requestOf(https('/onward')))
    await signInOn(page, provider)
    await page.waitForURL(`https://localhost:${secure.port}/cb?**`)
    expect(await answer()).toEqual({ method: 'GET', ...granted() })
  })

  test('after consent, a browser follows to a loopback address with a port of its own', async () => {
    const registered = 'http://127.0.0.1/cb'
    const changed = { redirect_uri: `${loopback.url.origin}/cb` }
    await page.goto(await requestOf(registered, changed, { isPublic: true }))
    await signInOn(page, provider)
    await page.waitForURL(`${loopback.url.origin}/cb?**`)
    expect(await answer()).toEqual({ method: 'GET', ...granted() })
  })

  test('after consent, a browser follows to the scheme of a program', async () => {
    await page.goto(await requestOf('com.example.app:/cb', {}, { isPublic: true }))
    await logInOn(page, provider)
    const called = page.waitForEvent('requestfailed', (request) => request.url().startsWith('com.example.app:'))
    await allow(page)
    // There is no such program here, but the policy of the page has let the browser call it.
    expect(new URL((await called).url()).searchParams.get('code')).toBeString()
  })

  test('the other forms that end at a program: a denial, and a logout that is confirmed', async () => {
    const [redirectUri, back] = ['com.example.app:/cb', 'com.example.app:/bye']
    const client = await registerClient(provider.app, {
      ...{ name: 'Tool', isPublic: true, redirectUri, postLogoutRedirectUris: [back] },
    })
    const request = await requestOf(redirectUri, { client_id: client.id }, { isPublic: true })
    // Chromium calls a program once for a page that nobody has touched since, so each form is in a page of its own.
    const call = async (button: () => Promise<void>) => {
      const called = page.waitForEvent('requestfailed', (one) => one.url().startsWith('com.example.app:'))
      await button()
      const { searchParams } = new URL((await called).url())
      expect(watched.complaints).toEqual([])
      await watched.close()
      await open()
      return searchParams
    }
    const logIn = async (at: string) => {
      await page.goto(at)
      await logInOn(page, provider)
    }
    await logIn(request)
    expect((await call(() => deny(page))).get('error')).toBe('access_denied')
    await logIn(request)
    const code = (await call(() => allow(page))).get('code')!
    const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    const exchanged = await provider.fetch(`${provider.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...{ grant_type: 'authorization_code', client_id: client.id, redirect_uri: redirectUri },
        ...{ code, code_verifier: verifier },
      }),
    })
    const { id_token: hint } = (await exchanged.json()) as { id_token: string }
    // The hint is of the session of another browser, so the user is asked.
    await logIn(`${provider.issuer}/sign-in`)
    await page.waitForURL('**/account')
    const logout = { id_token_hint: hint, post_logout_redirect_uri: back, state: 'bye' }
    await page.goto(`${provider.issuer}/end-session?${new URLSearchParams(logout)}`)
    expect((await call(() => page.click('main form button'))).get('state')).toBe('bye')
  })

  test('a browser follows from the form to log in to a loopback address, also with form_post', async () => {
    const redirectUri = `http://localhost:${loopback.port}/cb`
    const request = await requestOf(redirectUri, {}, { isTrusted: true })
    await page.goto(request)
    await logInOn(page, provider)
    await page.waitForURL(`${redirectUri}?**`)
    expect(await answer()).toEqual({ method: 'GET', ...granted() })
    provider.app.clock.advance(SECOND)
    await page.goto(`${request}&response_mode=form_post&prompt=login`)
    await logInOn(page, provider)
    await page.waitForURL(redirectUri)
    expect(await answer()).toEqual({ method: 'POST', ...granted() })
  })

  test('form_post hands over by a script file, and without scripts by a button', async () => {
    const request = await requestOf(https(), { response_mode: 'form_post' })
    await page.goto(request)
    await signInOn(page, provider)
    await page.waitForURL(https())
    expect(await answer()).toEqual({ method: 'POST', ...granted() })

    await watched.close()
    await open({ javaScriptEnabled: false })
    await page.goto(request)
    await logInOn(page, provider)
    await page.waitForURL(`${provider.issuer}/authorize/resume?**`)
    await page.getByRole('button').click()
    await page.waitForURL(https())
    expect(await answer()).toEqual({ method: 'POST', ...granted() })
  })

  test('a form of another site starts a request, signed out and signed in', async () => {
    const to = await requestOf(https())
    const start = `${secure.url.origin}/start?${new URLSearchParams({ to })}`
    await page.goto(start)
    await page.click('button')
    await signInOn(page, provider)
    await page.waitForURL(`${https()}?**`)
    await page.goto(start)
    await page.click('button')
    await page.waitForURL(`${https()}?**`)
    expect(await answer()).toEqual({ method: 'GET', ...granted() })
  })

  test('two tabs with two requests end at their own applications', async () => {
    const other = await page.context().newPage()
    await page.goto(await requestOf(https('/one'), { state: 'one' }))
    await other.goto(await requestOf(https('/two'), { state: 'two' }))
    await signInOn(other, provider)
    await other.waitForURL(`${https('/two')}?**`)
    expect(await answer(other)).toMatchObject(granted('two'))
    await signInOn(page, provider)
    await page.waitForURL(`${https('/one')}?**`)
    expect(await answer()).toMatchObject(granted('one'))
  })

  test('the back button after a sign-in never leads to a dead page', async () => {
    await page.goto(https('/home'))
    await page.goto(await requestOf(https()))
    await signInOn(page, provider)
    await page.waitForURL(`${https()}?**`)
    const codes = new Set()
    // The pages that were left behind lead on to the application, each with a new code.
    while (page.url() !== https('/home')) {
      const shown = (await answer()) as Record<string, unknown>
      expect(shown).toEqual({ method: 'GET', ...granted() })
      codes.add(shown.code)
      await page.goBack()
    }
    expect(codes.size).toBeGreaterThan(1)
  })

  test('a sign-in in a popup reports to the page that opened it', async () => {
    await page.goto(https('/popup'))
    const request = await requestOf(https('/popup'))
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate(`void open(${JSON.stringify(request)}, '', 'width=400,height=600')`),
    ])
    await signInOn(popup, provider)
    await page.waitForFunction("document.title.startsWith('?')")
    const sent = new URLSearchParams(await page.title())
    expect([sent.get('state'), sent.get('iss')]).toEqual(['a state', provider.issuer])
  })

  test('without JavaScript: sign-in, consent, denial and logout', async () => {
    await watched.close()
    await open({ javaScriptEnabled: false })
    const request = await requestOf(https())
    await page.goto(request)
    await signInOn(page, provider)
    await page.waitForURL(`${https()}?**`)
    expect(await answer()).toMatchObject(granted())
    await page.goto(`${request}&prompt=consent`)
    await deny(page)
    await page.waitForURL(`${https()}?**`)
    expect(await answer()).toMatchObject({ error: 'access_denied', state: 'a state' })
    await page.goto(`${provider.issuer}/end-session`)
    await page.locator('main form button').click()
    await page.goto(`${request}&prompt=none`)
    expect(await answer()).toMatchObject({ error: 'login_required' })
  })
})
