import { expect, test } from 'bun:test'
import { decodeJwt } from 'jose'
import { issuer, relyingParty, settle, user, wholeFlow } from '../conformance/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { examine } from '../support/doctor.ts'
import { appsPerTest } from '../support/hooks.ts'
import { registerClient } from './support.ts'

describeEachDialect('a resource that has become the audience of Keyward itself', (dialect) => {
  const apps = appsPerTest()
  const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

  test('U12: is refused and stands in no further token, and doctor names the client', async () => {
    const [resource, other] = ['https://api.example.net', 'https://other.example.net']
    const before = await apps.open({ dialect, env: { PUBLIC_URL: issuer } })
    await before.signUp(user.username, user.password)
    const client = await registerClient(before, {
      ...{ requiresPkce: false, resources: [resource, other], credentialsScopes: ['orders:read'] },
      grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant],
    })
    const sound = await examine(before.databaseUrl, { PUBLIC_URL: issuer })
    expect(sound.of('clients')).toMatchObject([{ verdict: 'ok', message: 'All clients fit the settings.' }])
    const rp = relyingParty(before, client)
    const browser = createBrowser(before)
    const { tokens } = await wholeFlow(rp, browser, { scope: 'openid offline_access', resource })
    expect(decodeJwt(tokens.access_token).aud).toEqual([`${issuer}/userinfo`, resource])
    const { code } = rp.answer(await settle(browser, await browser.open(rp.address({ resource }))))

    const env = { PUBLIC_URL: issuer, JWT_AUDIENCE: `${resource}/` }
    const app = await apps.open({ databaseUrl: before.databaseUrl, clock: before.clock, env })
    const now = relyingParty(app, client)
    const later = createBrowser(app)
    expect(now.answer(await later.open(now.address({ resource })))).toMatchObject({ error: 'invalid_target' })
    const post = (path: string, form: Record<string, string>) =>
      app.request('POST', path, { form, headers: now.basic }).then((answer) => answer.json())
    const credentials = { grant_type: 'client_credentials' }
    expect(await post('/token', { ...credentials, resource })).toMatchObject({ error: 'invalid_target' })
    expect(await post('/device_authorization', { scope: 'openid', resource })).toMatchObject({
      error: 'invalid_target',
    })
    const audienceOf = async (answer: Promise<Response>) =>
      decodeJwt(((await (await answer).json()) as { access_token: string }).access_token).aud
    expect(await audienceOf(now.exchange(code!))).toBe(`${issuer}/userinfo`)
    expect(await audienceOf(now.refresh(tokens.refresh_token!))).toBe(`${issuer}/userinfo`)
    expect(await audienceOf(app.request('POST', '/token', { form: credentials, headers: now.basic }))).toBe(other)

    const found = await examine(before.databaseUrl, env)
    expect(found.of('clients')).toMatchObject([{ verdict: 'warning', subject: client.id }])
    expect(found.of('clients')[0]!.message).toContain(` cannot use ${resource} any more`)
    expect((await app.admin.clients.find(client.id))?.resources).toEqual([resource, other])
    const off = await examine(before.databaseUrl, { PUBLIC_URL: issuer, PAGES: 'off' })
    expect(off.of('clients')[0]!.message).toStartWith('There are clients (1), and none works. No client can be')
  })
})
