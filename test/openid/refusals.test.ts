import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { relyingParty, settle, user, wholeFlow } from '../conformance/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { registerClient } from './support.ts'

const options = { env: { PUBLIC_URL: 'https://op.example.com' } }
const verifier = 'v'.repeat(64)
const challenge = new Bun.CryptoHasher('sha256').update(verifier).digest('base64url')
const pkce = { code_challenge: challenge, code_challenge_method: 'S256' }

describeApp('the authorization endpoint', options, (app) => {
  async function start(more = {}) {
    await app.signUp(user.username, user.password)
    const client = await registerClient(app, { requiresPkce: false, ...more })
    return { client, rp: relyingParty(app, client), browser: createBrowser(app) }
  }

  /** Every other fault that a request can have. */
  const faults: Record<string, string | undefined>[] = [
    {},
    { response_type: 'token' },
    { response_type: undefined },
    { scope: '' },
    { scope: 'a  b' },
    { resource: 'https://unknown.example' },
    { prompt: 'none login' },
    { max_age: '-1' },
    { max_age: '1e9999' },
    { request: 'x' },
    { code_challenge: 'short', code_challenge_method: 'plain' },
  ]

  test('U1: never redirects to an address that is not registered, whatever else is wrong with the request', async () => {
    const { rp, browser, client } = await start()
    const own = new URL(client.redirectUri)
    const wrong = [
      `${client.redirectUri}/`,
      `${client.redirectUri}?`,
      `${client.redirectUri}#`,
      client.redirectUri.toUpperCase(),
      `https://${own.host}:443${own.pathname}`,
      `https://user@${own.host}${own.pathname}`,
      `https://${own.host}\\@evil.example${own.pathname}`,
      `https://${own.host}.evil.example${own.pathname}`,
      `${client.redirectUri}%2e%2e/x`,
      `${client.redirectUri}\t`,
      'javascript:alert(1)',
      '',
    ]
    for (const redirect_uri of wrong)
      for (const fault of faults) {
        const screen = await browser.open(rp.address({ ...fault, redirect_uri }))
        expect([redirect_uri, fault, screen.isAway, screen.status, screen.headers.get('location')]).toEqual([
          redirect_uri,
          fault,
          false,
          400,
          null,
        ])
      }
    const twice = `${rp.address()}&redirect_uri=https%3A%2F%2Fevil.example`
    expect((await browser.open(twice)).status).toBe(400)
  })

  test('U1: an unknown and a disabled client get the same page, with every other fault', async () => {
    const { rp, browser, client } = await start()
    const pages = new Set<string>()
    const see = async (id: string) => {
      for (const fault of faults) {
        const screen = await browser.open(rp.address({ ...fault, client_id: id }))
        expect([screen.isAway, screen.status]).toEqual([false, 400])
        pages.add(screen.html.replace(/request [\w.-]+/, ''))
      }
    }
    await see('kwa_22222222222222222222')
    await app.admin.clients.update(client.id, { isEnabled: false })
    await see(client.id)
    expect(pages.size).toBe(1)
  })

  test('U2: names in its answer to the client what it does not take', async () => {
    const { rp, browser } = await start()
    const answers: [Record<string, string | undefined>, string][] = [
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ response_type: 'code id_token' }, 'unsupported_response_type'],
      [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
      [{ request_uri: 'https://app.example.net/request' }, 'request_uri_not_supported'],
      [{ registration: '{}' }, 'registration_not_supported'],
      [{ response_mode: 'fragment' }, 'invalid_request'],
      [{ scope: 'a  b' }, 'invalid_scope'],
      [{ scope: 'unknown' }, 'invalid_scope'],
      [{ prompt: 'none login' }, 'invalid_request'],
      [{ prompt: 'constant' }, 'invalid_request'],
      [{ max_age: '-1' }, 'invalid_request'],
      [{ max_age: '1e9999' }, 'invalid_request'],
      [{ resource: 'https://unknown.example' }, 'invalid_target'],
      [{ id_token_hint: 'no.id.token' }, 'invalid_request'],
      [{ ...pkce, code_challenge_method: undefined }, 'invalid_request'],
      [{ ...pkce, code_challenge_method: 'plain' }, 'invalid_request'],
      [{ ...pkce, code_challenge: 'c'.repeat(42) }, 'invalid_request'],
      [{ ...pkce, code_challenge: 'c'.repeat(129) }, 'invalid_request'],
      [{ code_challenge_method: 'S256' }, 'invalid_request'],
    ]
    for (const [sent, error] of answers)
      expect([sent, rp.answer(await browser.open(rp.address(sent)))]).toMatchObject([sent, { error }])
    const strict = relyingParty(app, await registerClient(app, { requiresPkce: true }))
    expect(strict.answer(await browser.open(strict.address()))).toMatchObject({ error: 'invalid_request' })
  })

  test('U2: PKCE is held both ways, and a wrong try uses the code up', async () => {
    const { rp, browser } = await start()
    const codeOf = async (sent: Record<string, string>) =>
      rp.answer(await settle(browser, await browser.open(rp.address(sent)))).code!
    const refused = async (code: string, sent: Record<string, string> = {}) => {
      const response = await rp.exchange(code, sent)
      expect([response.status, await response.json()]).toMatchObject([400, { error: 'invalid_grant' }])
    }
    const with_ = await codeOf(pkce)
    await refused(with_, { code_verifier: 'w'.repeat(64) })
    await refused(with_, { code_verifier: verifier })
    await refused(await codeOf(pkce))
    await refused(await codeOf({}), { code_verifier: verifier })
    await refused(await codeOf(pkce), { code_verifier: verifier, redirect_uri: 'https://app.example.net/other' })
    expect((await rp.exchange(await codeOf(pkce), { code_verifier: verifier })).status).toBe(200)
  })

  test('U3: a code is good once, for its client, for a minute, and while everything about it stands', async () => {
    const { rp, browser, client } = await start()
    const codeOf = async () => rp.answer(await settle(browser, await browser.open(rp.address()))).code!
    const refused = async (answer: Promise<Response>) => {
      const response = await answer
      expect([response.status, await response.json()]).toMatchObject([400, { error: 'invalid_grant' }])
    }
    const other = relyingParty(app, await registerClient(app, { name: 'Other', requiresPkce: false }))
    await refused(other.exchange(await codeOf()))
    const late = await codeOf()
    app.clock.advance(61 * SECOND)
    await refused(rp.exchange(late))
    const altered = await codeOf()
    await refused(rp.exchange(`${altered.slice(0, -2)}AA`))
    await refused(rp.exchange(altered.slice(0, 40)))
    const unauthenticated = await app.request('POST', '/token', {
      form: { grant_type: 'authorization_code', code: altered, client_id: client.id, client_secret: 'kwc_wrong' },
    })
    expect([unauthenticated.status, await unauthenticated.json()]).toMatchObject([401, { error: 'invalid_client' }])
    expect((await rp.exchange(altered)).status).toBe(200)

    const whenDisabled = await codeOf()
    await app.admin.clients.update(client.id, { isEnabled: false })
    expect((await rp.exchange(whenDisabled)).status).toBe(401)
    await app.admin.clients.update(client.id, { isEnabled: true })

    const whenChanged = await codeOf()
    await app.admin.setPassword(await app.admin.userNamed(user.username), 'another good pass phrase')
    await refused(rp.exchange(whenChanged))
  })

  test('U3: of 24 exchanges at once one succeeds, and the others end its session', async () => {
    const { rp, browser } = await start()
    const { code } = rp.answer(await settle(browser, await browser.open(rp.address())))
    const answers = await Promise.all(Array.from({ length: 24 }, () => rp.exchange(code!)))
    const tokens = answers.filter(({ status }) => status === 200)
    expect([tokens.length, answers.filter(({ status }) => status === 400).length]).toEqual([1, 23])
    const { access_token: token } = (await tokens[0]!.json()) as { access_token: string }
    expect((await rp.userinfo(token)).status).toBe(401)
    // Further uses change nothing, so they are not in the audit log.
    expect(await app.rows.auditEvents.count({ event: 'oauth.code_reused' })).toBe(1)
  })

  test('U6: a client authenticates by one method, and with its own secret', async () => {
    const { rp, browser, client } = await start()
    const codeOf = async () => rp.answer(await settle(browser, await browser.open(rp.address()))).code!
    const form = async (more: Record<string, string>) => ({
      grant_type: 'authorization_code',
      code: await codeOf(),
      redirect_uri: client.redirectUri,
      ...more,
    })
    const both = await app.request('POST', '/token', {
      form: await form({ client_id: client.id, client_secret: client.secret }),
      headers: rp.basic,
    })
    expect([both.status, await both.json()]).toMatchObject([400, { error: 'invalid_request' }])
    const wrong = await app.request('POST', '/token', {
      form: await form({}),
      headers: { authorization: `Basic ${btoa(`${client.id}:kwc_wrong`)}` },
    })
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Basic')])
    const none = await app.request('POST', '/token', { form: await form({}) })
    expect([none.status, await none.json()]).toMatchObject([401, { error: 'invalid_client' }])
    const open = await registerClient(app, { name: 'Open', isPublic: true })
    const secretOfPublic = await app.request('POST', '/token', {
      form: await form({ client_id: open.id, client_secret: 'kwc_any' }),
    })
    expect(secretOfPublic.status).toBe(401)
  })

  test('U4: the password grant is not for registered clients, and others are ignored', async () => {
    const { client } = await start()
    const form = { ...user, client_id: client.id }
    const refused = await app.request('POST', '/token', { form })
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: 'unauthorized_client' }])
    expect((await app.request('POST', '/token', { form: { ...user, client_id: 'somebody' } })).status).toBe(200)
  })

  test('U12: a token of a client opens nothing of Keyward itself, and an own token no userinfo', async () => {
    const { rp, browser } = await start()
    const { tokens } = await wholeFlow(rp, browser, { scope: 'openid profile email groups' })
    const own = ['/users/me', '/user/user', '/users/me/sessions', '/forward-auth', '/admin/users', '/users/me/consents']
    for (const path of own) {
      const response = await app.request('GET', path, { token: tokens.access_token })
      expect([path, response.status, response.headers.get('www-authenticate')]).toEqual([
        path,
        403,
        expect.stringContaining('error="insufficient_scope"'),
      ])
      expect((await app.request('GET', path, { token: tokens.id_token! })).status).toBe(401)
    }
    const { access_token: password } = (await (await app.request('POST', '/token', { form: user })).json()) as never
    expect((await rp.userinfo(password)).status).toBe(403)
    const plain = await wholeFlow(rp, browser, { scope: 'profile' })
    expect(plain.tokens.id_token).toBeUndefined()
    expect((await rp.userinfo(plain.tokens.access_token)).status).toBe(403)
  })

  test('F10: a refresh token serves its own client alone, and not at POST /token/refresh', async () => {
    const { rp, browser } = await start()
    const { tokens } = await wholeFlow(rp, browser, { scope: 'openid offline_access' })
    const wider = await rp.refresh(tokens.refresh_token!, { scope: 'openid email' })
    expect([wider.status, await wider.json()]).toMatchObject([400, { error: 'invalid_scope' }])
    const direct = await app.request('POST', '/token/refresh', { json: { refresh_token: tokens.refresh_token } })
    expect(direct.status).toBe(401)
    const anonymous = await app.request('POST', '/token', {
      form: { grant_type: 'refresh_token', refresh_token: tokens.refresh_token! },
    })
    expect([anonymous.status, await anonymous.json()]).toMatchObject([401, { error: 'invalid_client' }])
    const narrower = await rp.refresh(tokens.refresh_token!, { scope: 'openid' })
    expect([narrower.status, await narrower.json()]).toMatchObject([200, { scope: 'openid' }])
    app.clock.advance(5 * MINUTE)
    const parallel = await Promise.all(
      Array.from(
        { length: 24 },
        async () => (await rp.refresh(tokens.refresh_token!)).json() as Promise<{ refresh_token: string }>,
      ),
    )
    expect(new Set(parallel.map(({ refresh_token: token }) => token)).size).toBeLessThanOrEqual(1)
  })
})
