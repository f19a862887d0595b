import { afterAll, afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { openPage, type WatchedPage } from '../browser/chromium.ts'
import { hasPrograms, hasPythonModules, PYTHON } from '../support/programs.ts'
import { apacheModules, startApache } from '../support/proxy.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { freeAddress, shownJson, signInOn, startProgram } from './app.ts'
import { providerPerSuite } from './provider.ts'

setDefaultTimeout(60_000)

const isCi = process.env.CI === 'true'
const hasApache = hasPrograms('/usr/sbin/apache2') && (isCi || existsSync(`${apacheModules}/mod_auth_openidc.so`))
const blocks = blocksOf(await readChapter('sign-in-with-keyward'))
const recipe = (language: string) => blocks.find((block) => block.language === language)!.text

describe.skipIf(!hasPrograms('chromium', 'openssl'))('15 the recipes of the guide for servers, in Chromium', () => {
  const provider = providerPerSuite({ env: { OUTGOING_ADDRESSES: 'private' } })
  const stops: (() => Promise<unknown>)[] = []
  let watched: WatchedPage
  let page: Page

  beforeEach(async () => {
    watched = await openPage({ ignoreHTTPSErrors: true })
    page = watched.page
  })
  afterEach(() => watched.close())
  afterAll(async () => {
    for (const stop of stops) await stop()
  })

  const register = async (home: string, callback: string, after: string, more = {}) => {
    const { client, secret } = await provider.app.admin.createClient({
      ...{ name: 'Service', redirectUris: [home + callback], postLogoutRedirectUris: [home + after] },
      scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
      ...more,
    })
    return { id: client.id, secret: secret! }
  }
  /** Starts the recipe of Apache in front of a service. */
  async function startRecipe(home: string, upstream: Bun.Server<undefined>, more = {}) {
    const { id, secret } = await register(home, '/oidc', '/bye', more)
    const directives = recipe('apache')
      .replaceAll('https://auth.example.com', provider.issuer)
      .replaceAll('https://app.example.com', home)
      .replaceAll('http://app:3000', `http://127.0.0.1:${upstream.port}`)
      .replace('the-client-id', id)
      .replace('the-client-secret', secret)
    const apache = await startApache(
      ['proxy', 'proxy_http', 'auth_openidc'],
      `OIDCCABundlePath ${provider.caFile}\n${directives}`,
      Number(new URL(home).port),
    )
    stops.push(apache.stop)
    return apache
  }
  const show = async (address: string) => {
    await page.goto(address)
    return shownJson(page)
  }
  const text = () => page.evaluate('document.body.innerText') as Promise<string>

  test.skipIf(!hasApache)('Apache with mod_auth_openidc: sign-in, headers, groups, refresh, logout', async () => {
    const upstream = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url, headers }) =>
        Response.json({
          path: new URL(url).pathname,
          ...Object.fromEntries([...headers].filter(([name]) => name.startsWith('oidc'))),
        }),
    })
    const home = await freeAddress()
    stops.push(() => upstream.stop(true))
    const apache = await startRecipe(home, upstream)

    await page.goto(`${home}/orders`)
    await signInOn(page, provider)
    await page.waitForURL(`${home}/orders`)
    expect(await shownJson(page)).toMatchObject({
      ...{
        path: '/orders',
        oidc_claim_sub: provider.sub,
        oidc_claim_preferred_username: 'ada',
        oidc_claim_groups: 'user',
      },
    } as never)

    await page.goto(`${home}/admin`)
    expect(await text()).not.toContain('path')
    const info = (await show(`${home}/oidc?info=json`)) as Record<string, unknown>
    expect(info).toMatchObject({ userinfo: { sub: provider.sub, email: 'ada@example.com' } })
    const later = (await show(`${home}/oidc?info=json&access_token_refresh_interval=0`)) as Record<string, unknown>
    expect(later.access_token).toBeString()
    expect(later.access_token).not.toBe(info.access_token)

    await page.goto(`${home}/oidc?logout=${encodeURIComponent(`${home}/bye`)}`)
    await page.waitForURL(`${home}/bye`)
    expect(await shownJson(page)).toEqual({ path: '/bye' } as never)
    await page.goto(`${home}/orders`)
    await page.waitForURL(`${provider.issuer}/sign-in?**`)
    expect(await apache.log()).not.toContain('kwc_')
  })

  test.skipIf(!hasApache)('Apache with mod_auth_openidc ends its session when Keyward ends all of a user', async () => {
    const upstream = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json({ path: 'reached' }) })
    const home = await freeAddress()
    const more = { backchannelLogoutUri: `${home}/oidc?logout=backchannel`, allowsHttp: true }
    stops.push(() => upstream.stop(true))
    await startRecipe(home, upstream, more)
    await page.goto(`${home}/orders`)
    await signInOn(page, provider)
    await page.waitForURL(`${home}/orders`)

    const { token } = provider
    expect((await provider.app.request('DELETE', '/users/me/sessions?except=current', { token })).status).toBe(204)
    await provider.app.process.deliverLogouts()
    await page.goto(`${home}/orders`)
    expect(page.url()).toStartWith(`${provider.issuer}/sign-in?`)
  })

  test.skipIf(!hasPythonModules('authlib', 'fastapi', 'itsdangerous', 'uvicorn'))(
    'FastAPI with Authlib: sign-in, claims, refresh, logout',
    async () => {
      const home = await freeAddress()
      const { id, secret } = await register(home, '/callback', '/')
      const folder = scratchFolder('authlib')
      const program = recipe('python')
        .replace('https://auth.example.com', provider.issuer)
        .replace('https://app.example.com', home)
      await Bun.write(join(folder, 'shop.py'), program)
      const app = await startProgram(
        [PYTHON, '-m', 'uvicorn', '--app-dir', folder, '--port', new URL(home).port, 'shop:app'],
        { CLIENT_ID: id, CLIENT_SECRET: secret, SESSION_SECRET: 'a secret', SSL_CERT_FILE: provider.caFile },
      )
      stops.push(app.stop)
      await page.goto(`${home}/login`)
      await signInOn(page, provider)
      await page.waitForURL(`${home}/me`)
      const claims = { sub: provider.sub, preferred_username: 'ada', email: 'ada@example.com' }
      expect(await shownJson(page)).toMatchObject(claims as never)
      const refreshed = await page.evaluate("fetch('/refresh', { method: 'POST' }).then((answer) => answer.json())")
      expect(refreshed).toEqual({ scope: 'openid profile email offline_access' })
      expect(await show(`${home}/me`)).toMatchObject(claims as never)
      await page.goto(`${home}/logout`)
      await page.waitForURL(`${home}/`)
      await page.goto(`${home}/login`)
      await page.waitForURL(`${provider.issuer}/sign-in?**`)
    },
  )
})
