import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { openPage, type WatchedPage } from '../browser/chromium.ts'
import { hasPrograms } from '../support/programs.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { signInOn } from './app.ts'
import { providerPerSuite } from './provider.ts'

setDefaultTimeout(60_000)

const [recipe] = blocksOf(await readChapter('sign-in-with-keyward')).filter(({ language }) => language === 'ts')

/** The entry of the application, and what the tests call in its page. */
const main = `
import * as app from './keyward'
const { keyward } = app
Object.assign(globalThis, {
  app,
  silently: async () => {
    await keyward.removeUser()
    return keyward.signinSilent({ redirect_uri: location.origin + '/silent' }).then(() => 'signed in', ({ error, message }) => error ?? message)
  },
})
if (location.pathname === '/silent') await keyward.signinSilentCallback()
else await app.start()
document.title = 'ready'
`

describe.skipIf(!hasPrograms('chromium', 'openssl'))('15 oidc-client-ts in Chromium', () => {
  const provider = providerPerSuite()
  let site: Bun.Server<undefined>
  let home = ''
  let watched: WatchedPage
  let page: Page

  beforeAll(async () => {
    let script = ''
    // The cookie of Keyward is that of another site here, as with most applications.
    site = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) =>
        url.endsWith('/main.js')
          ? new Response(script, { headers: { 'content-type': 'text/javascript' } })
          : new Response('<!doctype html><title>App</title><script type="module" src="/main.js"></script>', {
              headers: { 'content-type': 'text/html' },
            }),
    })
    home = `http://127.0.0.1:${site.port}`
    const { client } = await provider.app.admin.createClient({
      ...{ name: 'App', isPublic: true, redirectUris: [`${home}/callback`, `${home}/silent`] },
      postLogoutRedirectUris: [`${home}/`],
    })
    const folder = scratchFolder('spa')
    symlinkSync(join(import.meta.dir, '..', '..', 'node_modules'), join(folder, 'node_modules'))
    const text = recipe!.text
      .replace('https://app.example.com', home)
      .replace('https://auth.example.com', provider.issuer)
      .replace('kwa_k3m6q2z7x4c5v8b9n2m4', client.id)
    await Bun.write(join(folder, 'keyward.ts'), text)
    await Bun.write(join(folder, 'main.ts'), main)
    const built = await Bun.build({ entrypoints: [join(folder, 'main.ts')], target: 'browser' })
    script = await built.outputs[0]!.text()
    watched = await openPage({ ignoreHTTPSErrors: true })
    page = watched.page
  }, 60_000)
  afterAll(async () => {
    await watched?.close()
    await site?.stop(true)
  })

  const ready = () => page.waitForFunction("document.title === 'ready'")
  const run = <T>(code: string) => page.evaluate(code) as Promise<T>
  const open = async () => {
    await page.goto(home)
    await ready()
  }
  interface Shown {
    profile: Record<string, unknown>
    scope: string
    refresh_token: string
    access_token: string
  }

  test('the recipe of the guide: signs in with PKCE, renews by refresh token without an iframe, and signs out', async () => {
    await open()
    expect(await run('app.keyward.getUser()')).toBeNull()
    await run('void app.signIn()')
    await signInOn(page, provider)
    await page.waitForURL(`${home}/`)
    await ready()
    const first = await run<Shown>('app.keyward.getUser()')
    expect(first.profile).toMatchObject({ sub: provider.sub, iss: provider.issuer })
    expect(first.scope).toBe('openid profile offline_access')

    const before = watched.requests.length
    const renewed = await run<Shown>('app.keyward.signinSilent()')
    expect(renewed.profile.sub).toBe(provider.sub)
    expect(renewed.refresh_token).not.toBe(first.refresh_token)
    expect(renewed.access_token).not.toBe(first.access_token)
    expect(watched.requests.slice(before).filter((url) => url.includes('/authorize'))).toEqual([])

    // The ID token names the session of the application, so nobody is asked.
    await run('void app.signOut()')
    await page.waitForURL(`${home}/`)
    await ready()
    expect(await run('app.keyward.getUser()')).toBeNull()
    expect(watched.complaints).toEqual([])
  })

  test('an iframe with prompt=none of another site is answered with login_required at once', async () => {
    await open()
    expect(await run<string>('silently()')).toBe('login_required')
    expect(watched.complaints).toEqual([])
  })

  test('a page of an origin that is not registered reads no answer', async () => {
    const other = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => new Response('<title>Other</title>', { headers: { 'content-type': 'text/html' } }),
    })
    await page.goto(other.url.href)
    const asked = (path: string, method: string) =>
      run(
        `fetch(${JSON.stringify(provider.issuer + path)}, { method: '${method}' }).then(({ status }) => status, () => 'kept away')`,
      )
    for (const path of ['/token', '/userinfo', '/revoke'])
      expect([path, await asked(path, 'POST')]).toEqual([path, 'kept away'])
    expect(await asked('/.well-known/openid-configuration', 'GET')).toBe(200)
    await page.goto(home)
    expect(await asked('/token', 'POST')).toBe(415)
    await other.stop(true)
  })
})
