import { afterEach, expect, test } from 'bun:test'
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto'
import { MINUTE } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { browserFor, type TestBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsWithMail, codeIn } from '../verification/support.ts'
import { good, type MockProvider, type Mood, mockProvider, towards } from './issuer.ts'
import { applePrivateKey } from './support.ts'

const local = { PUBLIC_URL: 'http://localhost:8000', OUTGOING_ADDRESSES: 'private' }

/** Goes to a provider from a page of Keyward. @returns the address at the provider */
async function goTo(browser: TestBrowser, path: string): Promise<string> {
  const answer = await browser.get(path)
  const location = answer.headers.get('location') ?? ''
  if (answer.status !== 303 || !/^https?:/.test(location)) throw new Error(`${answer.status} ${location}`)
  return location
}

/** Logs in at the provider, and comes back. */
async function signIn(browser: TestBrowser, mock: MockProvider, name: string, more: Record<string, string> = {}) {
  const { code, state } = mock.authorize(await goTo(browser, `/social/${name}`))
  return browser.open(`/social/${name}/callback?${new URLSearchParams({ code, state, ...more })}`)
}

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
    return { app, sink, mock, browser: browserFor(app) }
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
    const again = await signIn(browserFor(app), mock, 'acme')
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
      ['no cookie', async (own) => ({ path: `acme/callback?${query(await answerOf(own))}`, at: browserFor(app) })],
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
      const own = browserFor(app)
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

  test('L3, L4, L9: every fault of a provider is one page, and leaves nothing behind', async () => {
    const { app, mock } = await open()
    const big = 'x'.repeat(1_100_000)
    const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const moods: Record<string, Mood> = {
      'another nonce': async ({ claims, sign, respond }) => respond(await sign({ ...claims, nonce: 'x' })),
      'no nonce': async ({ claims: { nonce: _, ...claims }, sign, respond }) => respond(await sign(claims)),
      'another audience': async ({ claims, sign, respond }) => respond(await sign({ ...claims, aud: 'x' })),
      'two audiences': async ({ claims, sign, respond }) => respond(await sign({ ...claims, aud: ['keyward', 'x'] })),
      'another party': async ({ claims, sign, respond }) => respond(await sign({ ...claims, azp: 'x' })),
      'another issuer': async ({ claims, sign, respond }) =>
        respond(await sign({ ...claims, iss: 'https://x.example' })),
      expired: async ({ claims, sign, respond }) =>
        respond(await sign({ ...claims, exp: 1_700_000_000, iat: 1_699_999_000 })),
      'no subject': async ({ claims: { sub: _, ...claims }, sign, respond }) => respond(await sign(claims)),
      'no ID token': async ({ respond }) => respond(undefined),
      unsigned: async ({ claims, respond }) => respond(`${b64({ alg: 'none' })}.${b64(claims)}.`),
      'signed with the public key': async ({ claims, respond, publicKey }) => {
        const input = `${b64({ alg: 'HS256', kid: JSON.parse(publicKey).kid })}.${b64(claims)}`
        return respond(`${input}.${createHmac('sha256', publicKey).update(input).digest('base64url')}`)
      },
      'altered after the signature': async ({ claims, sign, respond }) => {
        const [head, , mac] = (await sign(claims)).split('.')
        return respond(`${head}.${b64({ ...claims, sub: 'of-bea' })}.${mac}`)
      },
      'an unknown key': async ({ claims, sign, respond }) => respond(await sign(claims, { kid: 'other' })),
      'a large body': async ({ respond }) => respond(undefined, { big }),
      HTML: async () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      'a redirect': async () => Response.redirect('http://127.0.0.1:1/'),
      'an error': async () => Response.json({ error: 'invalid_client\n"x"' }, { status: 401 }),
      'a failure': async () => new Response('oops', { status: 500 }),
    }
    const pages = new Set<string>()
    for (const [name, mood] of Object.entries(moods)) {
      mock.mood = mood
      const page = await signIn(browserFor(app), mock, 'acme')
      expect([name, page.status, page.title]).toEqual([name, 400, 'Logging in did not work'])
      pages.add(page.html)
    }
    mock.mood = good
    const answers: Record<string, string>[] = [{ error: 'access_denied' }, { iss: 'https://x.example' }, { code: 'x' }]
    for (const more of answers) {
      const page = await signIn(browserFor(app), mock, 'acme', more)
      expect([more, page.status]).toEqual([more, 400])
      pages.add(page.html)
    }
    expect(pages.size).toBe(1)
    expect(await nothing(app)).toEqual([0, 0, 0])
    const reasons = app.logs.filter((line) => line.includes('provider_failed')).map((line) => JSON.parse(line).reason)
    expect(reasons).toHaveLength(Object.keys(moods).length + 3)
    expect(reasons.every((reason) => /^[\w .-]+$/.test(reason))).toBe(true)
    expect(reasons).toContain('too_large')
    // The issuer of the metadata is compared, too.
    await app.admin.addProvider({
      name: 'path',
      kind: 'oidc',
      issuer: `${mock.url}/x`,
      clientId: 'k',
      clientSecret: 's',
    })
    expect((await browserFor(app).open('/social/path')).title).toBe('Logging in did not work')
    const { social } = app.admin
    expect(await social.checkProvider('path')).toMatchObject([{ check: 'metadata', result: 'failed' }])
    const results = async () => (await social.checkProvider('acme')).map(({ check, result }) => `${check} ${result}`)
    expect(await results()).toEqual(['metadata ok', 'keys ok', 'credentials ok'])
    mock.api['/token'] = () => Response.json({ error: 'invalid_client' }, { status: 401 })
    expect(await results()).toEqual(['metadata ok', 'keys ok', 'credentials failed'])
    delete mock.api['/token']
    expect((await signIn(browserFor(app), mock, 'acme')).path).toStartWith('/account')
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
    expect((await browserFor(app).open(eve.path)).title).toBe('This login has expired')
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
    expect((await browser.get(`/social/acme?link=${form}`)).headers.get('location')).toStartWith('../sign-in?request=')
  })

  test('L4, L6: Google, Microsoft, GitHub, Discord and Apple with their quirks', async () => {
    const pem = await applePrivateKey()
    const { app, mock } = await open()
    const made = { clientId: 'keyward', clientSecret: 's' }
    const single = '11111111-2222-3333-4444-555555555555'
    const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad'
    await app.admin.addProvider({ ...made, name: 'google', kind: 'google', hostedDomain: 'example.com' })
    await app.admin.addProvider({ ...made, name: 'ms', kind: 'microsoft', tenant: 'organizations' })
    await app.admin.addProvider({ ...made, name: 'one', kind: 'microsoft', tenant: single, trustsEmail: true })
    await app.admin.addProvider({ ...made, name: 'github', kind: 'github' })
    await app.admin.addProvider({ ...made, name: 'discord', kind: 'discord' })
    await app.admin.addProvider({
      ...made,
      name: 'apple',
      kind: 'apple',
      teamId: 'TEAM123456',
      keyId: 'KEY1234567',
      clientSecret: pem,
    })
    const tid = (id: string) => ({ tid: id, oid: `oid-${id}`, iss: `https://login.microsoftonline.com/${id}/v2.0` })
    const users = '/api.github.com/user'
    const github = (profile: object, emails: object) => {
      mock.api[users] = () => Response.json(profile)
      mock.api[`${users}/emails`] = () => Response.json(emails)
    }
    const discord = (profile: object) => {
      mock.api['/discord.com/api/users/@me'] = () => Response.json(profile)
    }
    mock.api['/github.com/login/oauth/access_token'] = () =>
      Response.json({ access_token: 'gho', token_type: 'bearer', scope: 'read:user,user:email' })
    mock.api['/discord.com/api/oauth2/token'] = () => Response.json({ access_token: 'd', token_type: 'Bearer' })
    let n = 0
    const at = () => ({ email: `p${++n}@example.com`, email_verified: true })
    const failed = 'Logging in did not work'
    const code = 'Look into your mailbox'
    const account = '/account'
    const cases: [string, string, object | (() => void), string][] = [
      ['google', 'of the domain', { ...at(), hd: 'example.com' }, account],
      ['google', 'of another domain', { ...at(), hd: 'evil.example' }, failed],
      ['google', 'of no domain', at(), failed],
      ['google', 'not verified', { ...at(), hd: 'example.com', email_verified: 'false' }, code],
      ['ms', 'of a tenant, whose word is free text', { ...at(), ...tid(single) }, code],
      ['ms', 'verified by its domain', { ...at(), ...tid(single), xms_edov: '1', oid: 'edov' }, account],
      [
        'ms',
        'with a primary address',
        () => {
          const { email } = at()
          mock.claims = { ...tid(single), oid: 'primary', email, verified_primary_email: [email] }
        },
        account,
      ],
      ['ms', 'of a personal account', { ...at(), ...tid(consumers), xms_edov: true }, failed],
      ['ms', 'of a tenant that is not its issuer', { ...at(), ...tid(single), tid: consumers }, failed],
      ['one', 'of the tenant that is trusted', { ...at(), ...tid(single), oid: 'vouched' }, account],
      ['one', 'of another tenant', { ...at(), ...tid(consumers) }, failed],
      ['apple', 'with text for truth', { ...at(), email_verified: 'true' }, account],
      ['apple', 'without the claim', { ...at(), email_verified: undefined, sub: 'no-claim' }, code],
      [
        'github',
        'with a verified primary address',
        () => github({ id: 7, login: 'octo', email: 'x@x.example' }, [{ ...at(), primary: true, verified: true }]),
        account,
      ],
      [
        'github',
        'with a public address that is not verified',
        () => github({ id: 8, login: 'octo', email: 'x@example.com' }, [{ ...at(), primary: true, verified: false }]),
        'Your email address',
      ],
      ['github', 'with a name for its id', () => github({ id: 'octo' }, []), failed],
      [
        'github',
        'with an error and status 200',
        () => {
          mock.api['/github.com/login/oauth/access_token'] = () => Response.json({ error: 'bad_verification_code' })
        },
        failed,
      ],
      [
        'discord',
        'verified',
        () => discord({ id: '80351110224678912', username: 'nelly', ...at(), verified: true }),
        account,
      ],
      ['discord', 'not verified', () => discord({ id: '81', username: 'nelly', ...at(), verified: false }), code],
      [
        'discord',
        'without an address',
        () => discord({ id: '82', username: 'nelly', email: null, verified: true }),
        'Your email address',
      ],
    ]
    for (const [at, [name, what, how, expected]] of cases.entries()) {
      mock.person = { sub: `sub-${at}` }
      mock.claims = typeof how === 'function' ? {} : (how as never)
      if (typeof how === 'function') how()
      const page = await signIn(browserFor(app), mock, name)
      const got = expected === account ? page.path.slice(0, account.length) : page.title
      expect([name, what, got]).toEqual([name, what, expected])
    }
    expect(
      (await app.rows.identities.all()).map(({ provider, issuer, subject }) => [provider, issuer, subject]),
    ).toEqual([
      ['google', 'https://accounts.google.com', expect.any(String)],
      ['ms', `https://login.microsoftonline.com/${single}/v2.0`, 'edov'],
      ['ms', `https://login.microsoftonline.com/${single}/v2.0`, 'primary'],
      ['one', `https://login.microsoftonline.com/${single}/v2.0`, 'vouched'],
      ['apple', 'https://appleid.apple.com', expect.any(String)],
      ['github', 'https://api.github.com', '7'],
      ['discord', 'https://discord.com', '80351110224678912'],
    ])
    // The secret for Apple is a JWT that its public key verifies.
    const sent = mock.requests.findLast(({ path }) => path === '/appleid.apple.com/token')!.body.get('client_secret')!
    const [head, claims, mac] = sent.split('.') as [string, string, string]
    const key = { key: createPublicKey(pem), dsaEncoding: 'ieee-p1363' } as const
    expect(verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(mac, 'base64url'))).toBe(true)
    expect(JSON.parse(atob(head))).toMatchObject({ alg: 'ES256', kid: 'KEY1234567' })
    expect(JSON.parse(atob(claims))).toMatchObject({
      iss: 'TEAM123456',
      sub: 'keyward',
      aud: 'https://appleid.apple.com',
    })
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
