import { expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { checkIdToken, relyingParty, settle, user, wholeFlow } from '../conformance/support.ts'
import { createBrowser } from '../support/browser.ts'
import { describeApp } from '../support/hooks.ts'
import { type ClientOptions, registerClient } from './support.ts'

const issuer = 'https://op.example.com'

describeApp('what a client gets', { env: { PUBLIC_URL: issuer } }, (app) => {
  async function start(more: ClientOptions = {}) {
    await app.signUp(user.username, user.password)
    const client = await registerClient(app, { requiresPkce: false, ...more })
    return { client, rp: relyingParty(app, client), browser: createBrowser(app) }
  }

  test('U8: access tokens and ID tokens say what their standards demand, and the ID token more only if the client is set so', async () => {
    const { rp, browser, client } = await start()
    const scope = 'openid profile email groups'
    const { tokens, claims } = await wholeFlow(rp, browser, { scope })
    await checkIdToken(app, { tokens, client, nonce: 'a nonce' })
    expect(Object.keys(claims).sort()).toEqual(
      ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'at_hash', 'jti', 'sid'].sort(),
    )
    const access = JSON.parse(Buffer.from(tokens.access_token.split('.')[1]!, 'base64url').toString())
    expect(access).toMatchObject({
      iss: issuer,
      sub: claims.sub,
      aud: `${issuer}/userinfo`,
      client_id: client.id,
      scope,
    })
    expect(access.sid).toBe(claims.sid)
    await app.admin.clients.update(client.id, { hasClaimsInIdToken: true })
    const again = await wholeFlow(rp, browser, { scope })
    expect(again.claims).toMatchObject({ preferred_username: 'ada', email: 'ada@example.com', groups: ['user'] })
  })

  test('U9: consent is asked once and for further scopes, remembered, and withdrawn with the sessions of the client', async () => {
    const { rp, browser, client } = await start()
    await browser.open(rp.address())
    const question = await browser.submit(user)
    expect(question.title).toContain('Continue to App?')
    expect(rp.answer(await browser.submit({}, ({ fields }) => fields.decision === 'deny'))).toMatchObject({
      error: 'access_denied',
    })
    expect(rp.answer(await browser.open(rp.address({ prompt: 'none' })))).toMatchObject({ error: 'consent_required' })
    const { tokens } = await wholeFlow(rp, browser)
    expect(rp.answer(await browser.open(rp.address({ prompt: 'none' }))).code).toBeString()
    expect(rp.answer(await browser.open(rp.address({ prompt: 'none', scope: 'openid email' })))).toMatchObject({
      error: 'consent_required',
    })
    expect((await browser.open(rp.address({ scope: 'openid email' }))).html).toContain('see your email address')

    const token = ((await (await app.request('POST', '/token', { form: user })).json()) as { access_token: string })
      .access_token
    const listed = await (await app.request('GET', '/users/me/consents', { token })).json()
    expect(listed).toMatchObject([{ client_id: client.id, client_name: 'App', scopes: ['openid'] }])
    const path = `/users/me/consents/${client.id}`
    expect((await app.request('DELETE', path, { token })).status).toBe(204)
    expect((await app.request('DELETE', path, { token })).status).toBe(404)
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401)
    expect(rp.answer(await browser.open(rp.address({ prompt: 'none' })))).toMatchObject({ error: 'consent_required' })
  })

  test('a trusted client asks nobody, and stands among the connected applications', async () => {
    const { rp, browser, client } = await start({ isTrusted: true })
    await browser.open(rp.address())
    expect(rp.answer(await browser.submit(user)).code).toBeString()
    const token = ((await (await app.request('POST', '/token', { form: user })).json()) as { access_token: string })
      .access_token
    expect(await (await app.request('GET', '/users/me/consents', { token })).json()).toMatchObject([
      { client_id: client.id },
    ])
  })

  test('a program on the device is asked for in every browser session, and never silently', async () => {
    const { browser } = await start()
    const program = await registerClient(app, { name: 'Tool', isPublic: true, redirectUri: 'http://127.0.0.1/cb' })
    const verifier = 'v'.repeat(64)
    const code_challenge = new Bun.CryptoHasher('sha256').update(verifier).digest('base64url')
    const query = (more: Record<string, string>) =>
      `/authorize?${new URLSearchParams({
        client_id: program.id,
        redirect_uri: 'http://127.0.0.1:49152/cb',
        response_type: 'code',
        scope: 'openid',
        code_challenge,
        code_challenge_method: 'S256',
        ...more,
      })}`
    await browser.open(query({}))
    const question = await browser.submit(user)
    expect(question.html).toContain('Its name cannot be verified')
    expect(question.headers.get('content-security-policy')).toContain('http://127.0.0.1:49152')
    const allowed = await browser.submit({}, ({ fields }) => fields.decision === 'allow')
    expect([allowed.url.host, allowed.url.searchParams.has('code')]).toEqual(['127.0.0.1:49152', true])
    expect((await browser.open(query({}))).isAway).toBe(true)
    expect((await browser.open(query({ prompt: 'none' }))).url.searchParams.get('error')).toBe('interaction_required')
    app.clock.advance(SECOND)
    const other = createBrowser(app)
    await other.open(query({}))
    expect((await other.submit(user)).html).toContain('Its name cannot be verified')
  })

  test('U11: state comes back unchanged, also through form_post, and an address keeps its own query', async () => {
    const redirectUri = 'https://app.example.net/cb?tenant=7'
    const { rp, browser } = await start({ redirectUri })
    const state = `<script>"'&%=+ \u00fc\n${'x'.repeat(100)}`
    const screen = await settle(browser, await browser.open(rp.address({ state })))
    expect(screen.url.searchParams.get('state')).toBe(state)
    expect(screen.url.href).toStartWith('https://app.example.net/cb?tenant=7&code=')
    const posted = await browser.open(rp.address({ state, response_mode: 'form_post' }))
    expect([posted.isAway, posted.status]).toEqual([false, 200])
    const [form] = posted.forms
    expect([form!.action, form!.fields.state]).toEqual([redirectUri, state])
    expect(posted.html).not.toContain('<script>')
    expect(posted.html).not.toMatch(/on(?:load|click)=/)
    expect(posted.headers.get('content-security-policy')).toContain("script-src 'self'")
  })

  test('U7: a client revokes and introspects its own tokens only', async () => {
    const { rp, browser, client } = await start()
    const { tokens } = await wholeFlow(rp, browser, { scope: 'openid profile' })
    const other = await registerClient(app, { name: 'Other', requiresPkce: false })
    const stranger = relyingParty(app, other)
    const introspect = async (by: typeof rp, token: string) =>
      (await app.request('POST', '/introspect', { form: { token }, headers: by.basic })).json()
    expect(await introspect(rp, tokens.access_token)).toMatchObject({
      active: true,
      client_id: client.id,
      scope: 'openid profile',
      username: 'ada',
    })
    expect(await introspect(rp, tokens.refresh_token!)).toMatchObject({ active: true, client_id: client.id })
    for (const token of [tokens.access_token, tokens.refresh_token!])
      expect(await introspect(stranger, token)).toEqual({ active: false })
    const revoke = (by: typeof rp | undefined, token: string) =>
      app.request('POST', '/revoke', { form: { token }, headers: by?.basic ?? {} })
    expect((await revoke(stranger, tokens.refresh_token!)).status).toBe(200)
    expect((await revoke(undefined, tokens.refresh_token!)).status).toBe(401)
    expect((await rp.userinfo(tokens.access_token)).status).toBe(200)
    expect((await revoke(rp, tokens.refresh_token!)).status).toBe(200)
    expect((await rp.userinfo(tokens.access_token)).status).toBe(401)
    expect(await introspect(rp, tokens.access_token)).toEqual({ active: false })
    const again = await wholeFlow(rp, browser)
    await app.admin.clients.update(client.id, { isEnabled: false })
    expect(
      await app.request('POST', '/introspect', { form: { token: again.tokens.access_token }, headers: rp.basic }),
    ).toHaveProperty('status', 401)
  })

  test('client_credentials gives the registered scopes alone, and a token that names no user', async () => {
    const { client, rp } = await start({ grantTypes: ['client_credentials'], credentialsScopes: ['orders:read'] })
    const ask = (form: Record<string, string> = {}) =>
      app.request('POST', '/token', { form: { grant_type: 'client_credentials', ...form }, headers: rp.basic })
    const granted = (await (await ask()).json()) as { access_token: string }
    expect(granted).toMatchObject({ token_type: 'Bearer', scope: 'orders:read' })
    expect(granted).not.toHaveProperty('refresh_token')
    const claims = JSON.parse(Buffer.from(granted.access_token.split('.')[1]!, 'base64url').toString())
    expect([claims.sub, claims.client_id]).toEqual([client.id, client.id])
    expect((await app.request('GET', '/users/me', { token: granted.access_token })).status).toBe(403)
    for (const [form, error] of [
      [{ scope: 'users:write' }, 'invalid_scope'],
      [{ resource: 'https://unknown.example' }, 'invalid_target'],
    ] as const)
      expect([(await ask(form)).status, await (await ask(form)).json()]).toMatchObject([400, { error }])
    const without = relyingParty(app, await registerClient(app, { grantTypes: ['client_credentials'] }))
    const refused = await app.request('POST', '/token', {
      form: { grant_type: 'client_credentials' },
      headers: without.basic,
    })
    expect(await refused.json()).toMatchObject({ error: 'invalid_scope' })
  })

  test('a client with a required role takes only users who have it, also at the refresh', async () => {
    const { rp, browser, client } = await start({ requiredRole: 'admin' })
    const { id } = await app.admin.userNamed(user.username)
    await browser.open(rp.address())
    expect(rp.answer(await browser.submit(user))).toMatchObject({ error: 'access_denied' })
    await app.admin.giveRole(id, 'admin')
    const { tokens } = await wholeFlow(rp, browser, { scope: 'openid offline_access' })
    await app.admin.clients.update(client.id, { requiredRole: null })
    const first = (await (await rp.refresh(tokens.refresh_token!)).json()) as { refresh_token: string }
    await app.admin.clients.update(client.id, { requiredRole: 'admin' })
    expect((await rp.refresh(first.refresh_token)).status).toBe(200)
  })

  test('U12: a registered resource is an audience of the token, and no other', async () => {
    const resource = 'https://api.example.net'
    const { rp, browser } = await start({ resources: [resource] })
    const { tokens } = await wholeFlow(rp, browser, { resource })
    const claims = JSON.parse(Buffer.from(tokens.access_token.split('.')[1]!, 'base64url').toString())
    expect(claims.aud).toEqual([`${issuer}/userinfo`, resource])
    const refreshed = (await (await rp.refresh(tokens.refresh_token!)).json()) as { access_token: string }
    expect(JSON.parse(Buffer.from(refreshed.access_token.split('.')[1]!, 'base64url').toString()).aud).toEqual(
      claims.aud,
    )
    const refused = await browser.open(rp.address({ resource: 'https://other.example.net' }))
    expect(rp.answer(refused)).toMatchObject({ error: 'invalid_target' })
  })
})
