import { afterAll, beforeAll, expect, test } from 'bun:test'
import { relyingParty, user } from '../conformance/support.ts'
import { registerClient } from '../openid/support.ts'
import { type MockProvider, mockProvider } from '../social/issuer.ts'
import { createBrowser, type Screen } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'

const options = { env: { PUBLIC_URL: 'https://op.example.com', OUTGOING_ADDRESSES: 'private' } }

describeApp('the language of a page', options, (app) => {
  let mock: MockProvider
  beforeAll(async () => {
    mock = await mockProvider()
  })
  afterAll(() => mock.stop())

  async function start(language: string) {
    const { id } = await app.signUp(user.username, user.password)
    const client = await registerClient(app, { requiresPkce: false })
    return { id, rp: relyingParty(app, client), browser: createBrowser(app, { language }) }
  }
  const languageOf = ({ html, headers }: Screen) => {
    const language = headers.get('content-language')
    expect(html).toContain(`<html lang="${language}"`)
    return language
  }

  test('ui_locales decides about every page of a request: the first language that Keyward has', async () => {
    const { id, rp, browser } = await start('es')
    await app.rows.users.change({ id }, { locale: 'fr' })
    const asked = { ui_locales: 'tlh JA-Latn-JP de en' }
    const signIn = await browser.open(rp.address(asked))
    expect([signIn.url.pathname, languageOf(signIn)]).toEqual(['/sign-in', 'ja'])
    expect(languageOf(await browser.open(signIn.path.replace('sign-in', 'sign-up')))).toBe('ja')
    const wrong = await browser.send(signIn, { ...user, password: 'wrong' })
    expect([wrong.status, languageOf(wrong)]).toEqual([401, 'ja'])
    expect(languageOf(await browser.send(signIn, user))).toBe('ja')
    // The form of a page that another browser opened is refused before anything is known of its request.
    const foreign = createBrowser(app, { language: 'es' })
    expect(languageOf(await foreign.send(signIn, user))).toBe('es')

    const ended = await browser.open('/end-session?ui_locales=de&state=1')
    expect([languageOf(ended), languageOf(await browser.submit())]).toEqual(['de', 'de'])
    expect(languageOf(await browser.open('/authorize?ui_locales=de&client_id=nobody'))).toBe('de')
    expect(languageOf(await browser.open(rp.address({ ui_locales: 'tlh' })))).toBe('es')
    for (const [ui_locales, language] of [
      ['', 'es'],
      ['<script>', 'es'],
      [' en', 'en'],
      ['x'.repeat(4_000), 'es'],
      ['de '.repeat(1_000), 'de'],
    ] as const) {
      const page = await browser.open(rp.address({ ui_locales }))
      expect([ui_locales, page.status, languageOf(page)]).toEqual([ui_locales, 200, language])
    }
  })

  test('without ui_locales it is that of the user who is logged in, and else that of the browser', async () => {
    const { id, rp, browser } = await start('es')
    await app.rows.users.change({ id }, { locale: 'fr' })
    expect(languageOf(await browser.open(rp.address()))).toBe('es')
    const consent = await browser.submit(user)
    expect([consent.forms.length > 1, languageOf(consent)]).toEqual([true, 'fr'])
    for (const path of ['/account', '/account/sessions', '/sign-out', '/device', '/forgot', '/end-session'])
      expect([path, languageOf(await browser.open(path))]).toEqual([path, 'fr'])
    const profile = await browser.open('/account/profile')
    const refused = await browser.send(profile, { username: 'x' })
    expect([refused.status, languageOf(refused)]).toEqual([422, 'fr'])
    const unsealed = await browser.send(profile, { username: 'ada', form: 'another' })
    expect([unsealed.status, languageOf(unsealed)]).toEqual([403, 'fr'])
    expect(languageOf(await browser.send(profile, { username: 'ada', locale: 'de' }))).toBe('de')
    expect(languageOf(await browser.send(profile, { username: 'ada', locale: '' }))).toBe('es')
    await app.rows.users.change({ id }, { locale: 'tlh' })
    expect(languageOf(await browser.open('/account'))).toBe('es')
  })

  test('the pages between Keyward and another service keep the language of the request', async () => {
    const { rp, browser } = await start('es')
    const acme = { kind: 'oidc', issuer: mock.url, clientId: 'keyward', clientSecret: 's', trustsEmail: true } as const
    await app.admin.addProvider({ ...acme, name: 'acme' })
    const asked = { provider_hint: 'acme', scope: 'openid', ui_locales: 'ja' }
    const away = await browser.open(rp.address(asked))
    const failed = await browser.open(`/social/acme/callback?error=access_denied&${away.url.searchParams}`)
    expect([failed.status, languageOf(failed)]).toEqual([400, 'ja'])

    const { code, state } = mock.authorize((await browser.open(rp.address(asked))).url.href)
    const answer = new URLSearchParams({ code, state })
    const question = await browser.open(`/social/acme/callback?${answer}`)
    expect([question.url.pathname, languageOf(question)]).toEqual(['/social/acme/continue', 'ja'])
    expect(languageOf(await browser.submit({ password: 'wrong' }))).toBe('ja')
    expect(languageOf(await createBrowser(app, { language: 'es' }).open(`/social/acme/callback?${answer}`))).toBe('es')
  })
})
