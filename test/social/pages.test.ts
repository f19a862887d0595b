import { afterEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { MINUTE } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { createBrowser, type TestBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsWithMail, codeIn } from '../verification/support.ts'
import { type MockProvider, mockProvider, towards } from './issuer.ts'
import { applePrivateKey, goTo, local, signIn } from './support.ts'

const nothing = async (app: TestApp) => [
  await app.rows.users.count(),
  await app.rows.identities.count(),
  await app.rows.sessions.count(),
]

describeEachDialect('the pages to log in with another service', (dialect) => {
  const openMail = appsWithMail()
  const mocks: MockProvider[] = []
  afterEach(async () => {
    for (const mock of mocks.splice(0)) await mock.stop()
  })
  const open = async (provider: Record<string, unknown> = {}) => {
    const mock = await mockProvider()
    mocks.push(mock)
    const { app, sink } = await openMail(dialect, { env: local, replace: { outgoing: towards(() => mock) } })
    const acme = { name: 'acme', kind: 'oidc', label: 'Acme', issuer: mock.url, clientId: 'keyward', clientSecret: 's' }
    await app.admin.addProvider({ ...acme, trustsEmail: true, ...provider } as never)
    return { app, sink, mock, browser: createBrowser(app) }
  }

  test('L1, L2, L6: a new person gets an account and a session; the next login finds it, and keys may rotate', async () => {
    const { app, mock, browser } = await open()
    const url = await goTo(browser, '/social/acme?redirect_uri=https://evil.example&state=1&scope=admin&client_id=x')
    const sent = Object.fromEntries(new URL(url).searchParams)
    expect(sent).toEqual({
      client_id: 'keyward',
      redirect_uri: 'http://localhost:8000/social/acme/callback',
      response_type: 'code',
      scope: 'openid email profile',
      state: expect.stringMatching(/^[0-9a-f]{8}[\w-]{32}$/),
      nonce: expect.stringMatching(/^[\w-]{22}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    expect([...browser.cookies.keys()]).toEqual([`keyward-social-${sent.state!.slice(0, 8)}`])
    expect(await nothing(app)).toEqual([0, 0, 0])
    const { code, state } = mock.authorize(url)
    const back = await browser.open(`/social/acme/callback?code=${code}&state=${state}`)
    expect(back.path).toStartWith('/account')
    expect([...browser.cookies.keys()].toSorted()).toEqual(['keyward', 'keyward-device', 'keyward-form'])
    const exchange = mock.requests.find(({ path }) => path === '/token')!
    expect(exchange.authorization).toBe(`Basic ${btoa('keyward:s')}`)
    expect(createHash('sha256').update(exchange.body.get('code_verifier')!).digest('base64url')).toBe(
      sent.code_challenge!,
    )
    expect(await app.rows.users.one()).toMatchObject({ username: 'ada', passwordHash: null })
    expect(await app.rows.sessions.one()).toMatchObject({ kind: 'browser', amr: 'fed' })

    await mock.rotate()
    mock.person = { ...mock.person, email: 'other@example.com' }
    const again = await signIn(createBrowser(app), mock, 'acme')
    expect(again.path).toStartWith('/account')
    expect([await app.rows.users.count(), await app.rows.identities.count()]).toEqual([1, 1])
    const kept = JSON.stringify([await app.rows.identities.all(), await app.rows.auditEvents.all(), app.logs])
    expect(kept).not.toMatch(/token-of-the-provider|id_token|eyJ/)
  })

  test('L1, L5: an answer counts once, in the browser that asked, at the provider that was asked, for ten minutes', async () => {
    const { app, mock, browser } = await open()
    await app.admin.addProvider({ name: 'lab', kind: 'oidc', issuer: mock.url, clientId: 'lab', clientSecret: 's' })
    const answerOf = async (from: TestBrowser, name = 'acme') => {
      const { code, state } = mock.authorize(await goTo(from, `/social/${name}`))
      return { code, state }
    }
    const cases: [string, (browser: TestBrowser) => Promise<{ path: string; at?: TestBrowser }>][] = [
      ['no state', async (own) => ({ path: `acme/callback?code=${(await answerOf(own)).code}` })],
      ['no cookie', async (own) => ({ path: `acme/callback?${query(await answerOf(own))}`, at: createBrowser(app) })],
      [
        'another state',
        async (own) => {
          const { code, state } = await answerOf(own)
          return { path: `acme/callback?${query({ code, state: `${state.slice(0, 8)}${'A'.repeat(32)}` })}` }
        },
      ],
      ['another provider', async (own) => ({ path: `lab/callback?${query(await answerOf(own))}` })],
      [
        'after ten minutes',
        async (own) => {
          const answer = await answerOf(own)
          await app.clock.advance(10 * MINUTE)
          return { path: `acme/callback?${query(answer)}` }
        },
      ],
    ]
    for (const [name, prepare] of cases) {
      const own = createBrowser(app)
      const { path, at = own } = await prepare(own)
      const page = await at.open(`/social/${path}`)
      expect([name, page.status, page.title]).toEqual([name, 400, 'This login has expired'])
    }
    expect(await nothing(app)).toEqual([0, 0, 0])
    const answer = await answerOf(browser)
    expect((await browser.open(`/social/acme/callback?${query(answer)}`)).path).toStartWith('/account')
    expect((await browser.open(`/social/acme/callback?${query(answer)}`)).title).toBe('This login has expired')
    expect(await app.rows.sessions.count()).toBe(1)
  })

  test('L7: the pages between: an address, a code, and the account that exists already', async () => {
    const { app, sink, mock, browser } = await open({ trustsEmail: false })
    const bea = await app.signUp('bea')
    mock.person = { sub: 'of-bea' }
    let page = await signIn(browser, mock, 'acme')
    expect(page.title).toBe('Your email address')
    expect((await browser.send(page, { email: 'nonsense' })).status).toBe(422)
    page = await browser.send(page, { email: bea.email })
    expect(page.title).toBe('Look into your mailbox')
    expect(page.html).not.toContain(bea.email)
    const wrong = await browser.send(page, { code: '000000' })
    expect([wrong.status, wrong.html.includes('This code is wrong, or too old.')]).toEqual([400, true])
    await app.process.deliverMail()
    page = await browser.send(page, { code: codeIn(sink.received.at(-1)!) })
    expect([page.title, page.html.includes('Start over as the owner')]).toEqual(['You already have an account', true])
    expect((await browser.send(page, { password: 'wrong' })).status).toBe(403)
    expect((await browser.send(page, { password: '' })).status).toBe(422)
    expect(await app.rows.identities.count()).toBe(0)
    page = await browser.send(page, { password: bea.password })
    expect(page.path).toStartWith('/account')
    expect(await app.rows.identities.one()).toMatchObject({ userId: bea.id, subject: 'of-bea' })
    expect(await app.rows.sessions.one({ kind: 'browser' })).toMatchObject({ amr: 'fed pwd' })
    expect([...browser.cookies.keys()].some((name) => name.includes('social'))).toBe(false)

    // A form of another site, and the pages of another browser.
    mock.person = { sub: 'of-eve' }
    const eve = await signIn(browser, mock, 'acme')
    const id = /flow=(\w+)/.exec(eve.path)![1]!
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const foreign = await app.request('POST', '/social/acme/continue', {
      form: { flow: id, do: 'address', email: 'eve@example.com' },
      headers: { cookie, 'sec-fetch-site': 'cross-site' },
    })
    expect(foreign.status).toBe(403)
    expect((await createBrowser(app).open(eve.path)).title).toBe('This login has expired')
    await app.clock.advance(10 * MINUTE)
    expect((await browser.open(eve.path)).status).toBe(400)
  })

  test('L8: a person who is logged in links an account there, and a link of another site does not', async () => {
    const { app, mock, browser } = await open()
    const bea = await app.signUp('bea')
    await browser.logIn(bea)
    const form = (await browser.open('/sign-out')).html.match(/name="form" value="([^"]+)"/)![1]!
    for (const link of ['', 'x'])
      expect((await browser.get(`/social/acme?link=${link}`)).headers.get('location')).toBe('../account/identities')
    const { code, state } = mock.authorize(await goTo(browser, `/social/acme?link=${form}`))
    const done = await browser.get(`/social/acme/callback?${query({ code, state })}`)
    expect([done.status, done.headers.get('location')]).toEqual([303, '../../account/identities'])
    expect(await app.rows.identities.one()).toMatchObject({ userId: bea.id })
    expect(await app.rows.users.one()).toMatchObject({ email: 'bea@example.com', emailVerifiedAt: null })
    // A login that is too old leads to the login first.
    await app.clock.advance(16 * MINUTE)
    const link = async () => (await browser.get(`/social/acme?link=${form}`)).headers.get('location')
    expect(await link()).toStartWith('../sign-in?request=')
  })

  test('L8: F39 a person with a second factor links an account only after that was shown', async () => {
    const { app, browser } = await open()
    const bea = await app.signUp('bea')
    await browser.logIn(bea)
    const form = (await browser.open('/sign-out')).html.match(/name="form" value="([^"]+)"/)![1]!
    await app.factors.addApp(bea.id)
    const location = (await browser.get(`/social/acme?link=${form}`)).headers.get('location')
    expect(location).toStartWith('../sign-in/step-up?request=')
  })

  test('L1: Apple answers with a form of its site, without our cookies, and the login goes on', async () => {
    const { app, mock, browser } = await open()
    const apple = {
      name: 'apple',
      kind: 'apple',
      clientId: 'keyward',
      teamId: 'TEAM123456',
      keyId: 'KEY1234567',
    } as const
    await app.admin.addProvider({ ...apple, clientSecret: await applePrivateKey() })
    const { code, state, parameters } = mock.authorize(await goTo(browser, '/social/apple'))
    expect(Object.fromEntries(parameters)).toMatchObject({ response_mode: 'form_post', scope: 'openid name email' })
    const user = JSON.stringify({ name: { firstName: 'Ada', lastName: 'Lovelace' }, email: 'evil@example.com' })
    const answer = await app.request('POST', '/social/apple/callback', {
      form: { code, state, user },
      headers: { origin: 'https://appleid.apple.com', 'sec-fetch-site': 'cross-site' },
    })
    expect(answer.status).toBe(303)
    expect(answer.headers.getSetCookie()).toEqual([])
    const { pathname, search } = new URL(answer.headers.get('location')!, 'http://localhost:8000/social/apple/callback')
    expect(pathname).toBe('/social/apple/callback')
    expect((await browser.open(pathname + search)).path).toStartWith('/account')
    expect(await app.rows.users.one()).toMatchObject({ name: 'Ada Lovelace', email: 'ada@example.com' })
  })
})

const query = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString()
