import { afterAll, afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { openPage, type WatchedPage } from '../browser/chromium.ts'
import { hasPrograms } from '../support/programs.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { freeAddress, type RunningApp, shownJson, signInOn, startApp } from './app.ts'
import { providerPerSuite } from './provider.ts'

setDefaultTimeout(60_000)

describe.skipIf(!hasPrograms('chromium', 'openssl', 'node'))(
  '15 web applications in Node, signed in to with Chromium',
  () => {
    const provider = providerPerSuite({ env: { OUTGOING_ADDRESSES: 'private' } })
    const running: RunningApp[] = []
    let watched: WatchedPage
    let page: Page

    beforeEach(async () => {
      watched = await openPage({ ignoreHTTPSErrors: true })
      page = watched.page
    })
    afterEach(() => watched.close())
    afterAll(async () => {
      for (const app of running) await app.stop()
    })

    /** Registers an application and starts it. */
    async function start(
      name: string,
      home: string,
      { more = {}, ...settings }: { more?: object } & Record<string, unknown> = {},
    ) {
      const callback = name === 'auth-core' ? '/auth/callback/keyward' : '/callback'
      const { client, secret } = await provider.app.admin.createClient({
        ...{ name, redirectUris: [home + callback], postLogoutRedirectUris: [home, `${home}/`] },
        ...more,
      })
      const app = await startApp(name, provider, {
        ...{ BASE_URL: home, CLIENT_ID: client.id, CLIENT_SECRET: secret! },
        ...(settings as Record<string, string>),
      })
      running.push(app)
      return client
    }

    const code = (mode: string, scope = 'openid profile offline_access') =>
      JSON.stringify({ response_type: 'code', response_mode: mode, scope })

    test.each(['form_post', 'query'])('express-openid-connect with code and %s', async (mode) => {
      const home = await freeAddress('https')
      await start('express-openid-connect', home, { PARAMETERS: code(mode) })
      await page.goto(`${home}/login`)
      await signInOn(page, provider)
      await page.waitForURL(`${home}/`)
      expect((await shownJson(page)).user).toMatchObject({ sub: provider.sub, sid: expect.any(String) })
      await page.goto(`${home}/refreshed`)
      expect(await shownJson(page)).toMatchObject({ isNew: true, claims: { preferred_username: 'ada' } } as never)

      // Signed in already, so the second login shows no page.
      await page.context().clearCookies({ domain: '127.0.0.1' })
      await page.goto(`${home}/login`)
      await page.waitForURL(`${home}/`)
      expect((await shownJson(page)).user).toMatchObject({ sub: provider.sub })

      await page.goto(`${home}/logout`)
      await page.waitForURL(`${home}/`)
      expect((await shownJson(page)).user).toBeNull()
      await page.goto(`${home}/login`)
      await page.waitForURL(`${provider.issuer}/sign-in?**`)
      expect(watched.complaints.filter((text) => !text.includes('favicon'))).toEqual([])
    })

    test('the Express recipe of the guide', async () => {
      const home = await freeAddress()
      const [recipe] = blocksOf(await readChapter('sign-in-with-keyward')).filter(({ language }) => language === 'js')
      const folder = scratchFolder('express')
      symlinkSync(join(import.meta.dir, '..', '..', 'node_modules'), join(folder, 'node_modules'))
      const file = join(folder, 'app.mjs')
      const text = recipe!.text.replace('https://auth.example.com', provider.issuer)
      const said = text.replace("'127.0.0.1')", "'127.0.0.1', () => process.stdout.write('listening'))")
      await Bun.write(file, said.replace('https://app.example.com', home))
      await start(file, home, { PORT: new URL(home).port, SESSION_SECRET: 'a secret of the application' })
      await page.goto(`${home}/me`)
      await signInOn(page, provider)
      await page.waitForURL(`${home}/me`)
      expect(await shownJson(page)).toMatchObject({ sub: provider.sub, email: 'ada@example.com' } as never)
      await page.goto(`${home}/logout`)
      await page.waitForURL(`${home}/`)
      await page.goto(`${home}/me`)
      await page.waitForURL(`${provider.issuer}/sign-in?**`)
    })

    test('express-openid-connect with its default response_type=id_token is told what is wrong', async () => {
      const home = await freeAddress('https')
      await start('express-openid-connect', home)
      await page.goto(`${home}/login`)
      await page.waitForURL(`${home}/callback`)
      expect(await shownJson(page)).toMatchObject({
        error: 'unsupported_response_type',
        description: expect.stringContaining('code'),
      } as never)
    })

    test('express-openid-connect ends its session when Keyward sends a logout token', async () => {
      const home = await freeAddress()
      const more = { backchannelLogoutUri: `${home}/backchannel-logout`, allowsHttp: true }
      await start('express-openid-connect', home, { PARAMETERS: code('query', 'openid'), BACKCHANNEL: 'on', more })
      await page.goto(`${home}/login`)
      await signInOn(page, provider)
      await page.waitForURL(`${home}/`)
      expect((await shownJson(page)).user).not.toBeNull()
      // The person logs out at Keyward, and not at the application.
      await page.goto(`${provider.issuer}/end-session`)
      await page.click('main form button')
      await provider.app.process.deliverLogouts()
      await page.goto(home)
      expect((await shownJson(page)).user).toBeNull()
    })

    test('passport-openidconnect: client_secret_post, without PKCE and without a nonce', async () => {
      const home = await freeAddress()
      await start('passport-openidconnect', home, { more: { requiresPkce: false } })
      await page.goto(`${home}/login`)
      await signInOn(page, provider)
      await page.waitForURL(`${home}/`)
      expect((await shownJson(page)).user).toMatchObject({ id: provider.sub, username: 'ada', displayName: 'ada' })
      await page.goto(`${home}/refreshed`)
      expect(await shownJson(page)).toMatchObject({
        isNew: true,
        scope: 'openid profile email offline_access',
      } as never)
      await page.goto(`${home}/logout`)
      await page.waitForURL(`${home}/`)
      expect((await shownJson(page)).user).toBeNull()
      await page.goto(`${home}/login`)
      await page.waitForURL(`${provider.issuer}/sign-in?**`)
    })

    test('passport-openidconnect with a client that must use PKCE is told so', async () => {
      const home = await freeAddress()
      await start('passport-openidconnect', home)
      await page.goto(`${home}/login`)
      await page.waitForURL(`${home}/callback?**`)
      expect(await shownJson(page)).toMatchObject({
        error: 'invalid_request',
        message: expect.stringContaining('PKCE'),
      } as never)
    })

    test('@auth/core: PKCE, state and nonce, a refresh in its callback, logout at both', async () => {
      const home = await freeAddress()
      await start('auth-core', home)
      await page.goto(`${home}/auth/signin`)
      await page.click('button[type=submit]')
      await signInOn(page, provider)
      await page.waitForURL(`${home}/**`)
      const session = async () => {
        await page.goto(`${home}/auth/session`)
        return shownJson(page)
      }
      expect(await session()).toMatchObject({ user: { name: 'ada', email: 'ada@example.com' }, refreshes: 1 } as never)
      const again = (await session()) as unknown as { refreshes: number; idToken: string }
      expect(again.refreshes).toBe(2)

      const query = new URLSearchParams({ id_token_hint: again.idToken, post_logout_redirect_uri: `${home}/` })
      await page.goto(`${provider.issuer}/end-session?${query}`)
      await page.waitForURL(`${home}/`)
      await page.goto(`${home}/auth/signout`)
      await page.click('button[type=submit]')
      expect(await session()).toBeNull()
    })
  },
)
