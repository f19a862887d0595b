import { expect, test } from 'bun:test'
import { createBrowser, issuer, providerOptions, settle, user } from '../conformance/support.ts'
import { registerClient } from '../openid/support.ts'
import { manualClock } from '../support/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerTest } from '../support/hooks.ts'
import { webApp } from './openid-client.ts'

const bye = 'https://app.example.net/bye'

describeEachDialect('15 openid-client against the provider', (dialect) => {
  // The library compares times with the clock of the machine.
  const app = appPerTest({ ...providerOptions, dialect, clock: manualClock(Date.now()) })

  test('signs in, reads the claims, refreshes and signs out', async () => {
    const { id } = await app.signUp(user.username, user.password)
    const client = await registerClient(app, { postLogoutRedirectUris: [bye] })
    const fetch = (url: string, init: RequestInit) => app.fetch(new Request(url.replace(/^https:/, 'http:'), init))
    const party = await webApp(issuer, client, { fetch: fetch as never })
    const browser = createBrowser(app)

    const tokens = await party.signIn(browser, (screen) => settle(browser, screen), 'openid profile offline_access')
    const sub = String(id)
    expect(tokens.claims()).toMatchObject({ iss: issuer, aud: client.id, sub })
    expect(await party.userinfo(tokens, sub)).toMatchObject({ sub, preferred_username: 'ada' })
    const refreshed = await party.refresh(tokens.refresh_token!)
    expect(refreshed.claims()).toMatchObject({ sub, sid: tokens.claims()!.sid })
    expect(await party.userinfo(refreshed, sub)).toMatchObject({ sub })

    const { url } = await browser.open(party.endSession(refreshed.id_token!, bye))
    expect(url.href).toBe(`${bye}?state=bye`)
  })
})
