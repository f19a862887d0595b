import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { openPage, type WatchedPage } from '../../browser/chromium.ts'
import type { RegisteredClient } from '../../conformance/support.ts'
import { hasPrograms } from '../../support/programs.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { registerClient } from '../support.ts'
import { signInOn } from './app.ts'
import { providerPerSuite } from './provider.ts'

setDefaultTimeout(60_000)

/** What the page of the application runs: oidc-client-ts unchanged, and what the tests call. */
const script = `
import { UserManager, WebStorageStateStore } from 'oidc-client-ts'
const settings = JSON.parse(document.getElementById('settings').textContent)
const manager = new UserManager({
  ...settings,
  userStore: new WebStorageStateStore({ store: sessionStorage }),
  automaticSilentRenew: false,
})
const shown = (user) => user && { profile: user.profile, scope: user.scope, refresh: user.refresh_token, access: user.access_token }
Object.assign(globalThis, {
  signIn: () => manager.signinRedirect(),
  user: async () => shown(await manager.getUser()),
  renew: async () => shown(await manager.signinSilent()),
  silently: async () => {
    await manager.removeUser()
    return manager.signinSilent().then(shown, (error) => ({ error: error.error ?? error.message }))
  },
  revoke: () => manager.revokeTokens(['refresh_token']),
  signOut: () => manager.signoutRedirect(),
})
const { pathname, search } = location
if (pathname === '/silent') await manager.signinSilentCallback()
else if (search.includes('code=') || search.includes('error=')) {
  await manager.signinRedirectCallback()
  history.replaceState(null, '', '/')
}
document.title = 'ready'
`

describe.skipIf(!hasPrograms('chromium', 'openssl'))('15 oidc-client-ts in Chromium', () => {
  const provider = providerPerSuite()
  let site: Bun.Server<undefined>
  let client: RegisteredClient
  let watched: WatchedPage
  let page: Page

  beforeAll(async () => {
    const folder = scratchFolder('spa')
    await Bun.write(join(folder, 'main.ts'), script)
    const modules = join(import.meta.dir, '..', '..', '..', 'node_modules')
    const built = await Bun.build({
      entrypoints: [join(folder, 'main.ts')],
      target: 'browser',
      plugins: [
        {
          name: 'packages of the project',
          setup(build) {
            build.onResolve({ filter: /^oidc-client-ts$/ }, () => ({
              path: join(modules, 'oidc-client-ts/dist/esm/oidc-client-ts.js'),
            }))
          },
        },
      ],
    })
    const text = await built.outputs[0]!.text()
    const home = () => `http://127.0.0.1:${site.port}`
    // The cookie of Keyward is that of another site here, as with most applications.
    site = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) =>
        new URL(url).pathname === '/main.js'
          ? new Response(text, { headers: { 'content-type': 'text/javascript' } })
          : new Response(
              `<!doctype html><title>App</title><script id="settings" type="application/json">${JSON.stringify({
                authority: provider.issuer,
                client_id: client.id,
                redirect_uri: client.redirectUri,
                silent_redirect_uri: `${home()}/silent`,
                post_logout_redirect_uri: `${home()}/`,
                scope: 'openid profile offline_access',
              })}</script><script type="module" src="/main.js"></script>`,
              { headers: { 'content-type': 'text/html' } },
            ),
    })
    const { client: made } = await provider.app.admin.createClient({
      ...{ name: 'Single page', isPublic: true, isTrusted: false },
      redirectUris: [`${home()}/`, `${home()}/silent`],
      postLogoutRedirectUris: [`${home()}/`],
    })
    client = { id: made.id, secret: '', redirectUri: `${home()}/` }
    watched = await openPage({ ignoreHTTPSErrors: true })
    page = watched.page
  }, 60_000)
  afterAll(async () => {
    await watched?.close()
    await site?.stop(true)
  })

  const ready = () => page.waitForFunction("document.title === 'ready'")
  const run = <T>(code: string) => page.evaluate(code) as Promise<T>
  interface Shown {
    profile: Record<string, unknown>
    scope: string
    refresh: string
    access: string
    error?: string
  }

  test('signs in with PKCE, renews by refresh token without an iframe, and signs out', async () => {
    await page.goto(site.url.href)
    await ready()
    await run('void signIn()')
    await signInOn(page, provider)
    await page.waitForURL(`${site.url}**`)
    await ready()
    const first = await run<Shown>('user()')
    expect(first.profile).toMatchObject({ sub: provider.sub, iss: provider.issuer })
    expect(first.scope).toBe('openid profile offline_access')

    const before = watched.requests.length
    const renewed = await run<Shown>('renew()')
    expect(renewed.profile.sub).toBe(provider.sub)
    expect(renewed.refresh).not.toBe(first.refresh)
    expect(renewed.access).not.toBe(first.access)
    expect(watched.requests.slice(before).filter((url) => url.includes('/authorize'))).toEqual([])

    // The ID token names the session of the application, so nobody is asked.
    await run('void signOut()')
    await page.waitForURL(site.url.href)
    await ready()
    expect(await run('user()')).toBeNull()
    expect(watched.complaints).toEqual([])
  })

  test('an iframe with prompt=none of another site is answered with login_required at once', async () => {
    await page.goto(site.url.href)
    await ready()
    expect(await run<Shown>('silently()')).toEqual({ error: 'login_required' } as never)
    expect(watched.complaints).toEqual([])
  })

  test('a page of another origin reads no answer of the token endpoint', async () => {
    await registerClient(provider.app, { isPublic: true })
    const { port } = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => new Response('<title>Other</title>', { headers: { 'content-type': 'text/html' } }),
    })
    await page.goto(`http://127.0.0.1:${port}/`)
    const asked = (path: string) =>
      run(
        `fetch(${JSON.stringify(provider.issuer + path)}, { method: 'POST' }).then(({ status }) => status, () => 'kept away')`,
      )
    for (const path of ['/token', '/userinfo', '/revoke'])
      expect([path, await asked(path)]).toEqual([path, 'kept away'])
    expect(await run(`fetch('${provider.issuer}/.well-known/openid-configuration').then(({ status }) => status)`)).toBe(
      200,
    )
  })
})
