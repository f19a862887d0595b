import { expect, test } from 'bun:test'
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import OidcProvider, { type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider'
import type { NewProvider } from '../../src/features/social/social.ts'
import { registerClient } from '../openid/support.ts'
import type { TestApp } from '../support/app.ts'
import { createBrowser, type Screen, type Site, type TestBrowser } from '../support/browser.ts'
import { manualClock } from '../support/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { freePort } from '../support/proxy.ts'
import { serve } from '../support/socket.ts'
import { appsWithMail, codeIn, mailTo } from '../verification/support.ts'

const here = { PUBLIC_URL: 'http://localhost:8000', OUTGOING_ADDRESSES: 'private' }
const password = 'correct horse battery'

/** The clients of oidc-provider: how they authenticate, and what signs their ID tokens. */
const moods = [
  { name: 'basic', method: 'client_secret_basic', alg: 'RS256' },
  { name: 'post', method: 'client_secret_post', alg: 'ES256' },
  { name: 'pss', method: 'client_secret_basic', alg: 'PS256' },
  { name: 'edwards', method: 'client_secret_post', alg: 'EdDSA' },
  // The provider tells each client another subject for the same person.
  { name: 'pairwise', method: 'client_secret_basic', alg: 'RS256' },
] as const

/**
 * Logs in at Keyward with another provider, and goes through the pages of that provider.
 * @param pages fills in the form of a page of the provider
 */
async function logInThrough(
  name: string,
  { browser, there }: { browser: TestBrowser; there: TestBrowser },
  pages: (page: Screen) => Promise<Screen>,
): Promise<{ screen: Screen; seen: string[] }> {
  const seen: string[] = []
  const away = await browser.open(`/social/${name}`)
  if (!away.isAway) throw new Error(`No way to the provider: ${away.title}`)
  let at = await there.open(away.url.href)
  for (let steps = 0; !at.isAway; steps++) {
    if (steps === 5) throw new Error(`The provider stays at ${at.title}: ${at.html}`)
    seen.push(at.title)
    at = await pages(at)
  }
  return { screen: await browser.open(at.url.href), seen }
}

describeEachDialect('Keyward at real OpenID providers', (dialect) => {
  const openMail = appsWithMail()
  const openHere = () => openMail(dialect, { env: here })

  const addedAt = (app: TestApp, provider: Omit<NewProvider, 'kind'>) =>
    app.admin.addProvider({ ...provider, kind: 'oidc' })

  test('U: oidc-provider, by each way to authenticate and each signature: an account, and the same one again', async () => {
    const { app, sink } = await openHere()
    const upstream = await startOidcProvider()
    try {
      for (const { name, method } of moods) {
        const authMethod = method === 'client_secret_post' ? 'post' : 'basic'
        const trustsEmail = name !== 'basic'
        await addedAt(app, { name, issuer: upstream.url, clientId: name, clientSecret: 's', authMethod, trustsEmail })
        const pages = (there: TestBrowser) => (page: Screen) =>
          page.forms.some(isLogin)
            ? there.submit({ login: `of-${name}`, password: 'x' }, isLogin)
            : there.submit({}, ({ method }) => method === 'post')
        const both = { browser: createBrowser(app), there: createBrowser(upstream.site) }
        const first = await logInThrough(name, both, pages(both.there))
        expect([name, first.seen.length]).toEqual([name, 2])
        if (!trustsEmail) {
          expect(first.screen.title).toContain('Look into your mailbox')
          await app.process.deliverMail()
          const code = codeIn(mailTo(sink, `of-${name}@example.com`))
          first.screen = await both.browser.submit({ code }, ({ fields }) => 'code' in fields)
        }
        expect([name, first.screen.status, first.screen.url.pathname]).toEqual([name, 200, '/account'])
        const made = await app.rows.users.one({ email: `of-${name}@example.com` })
        expect(made).toMatchObject({ emailVerifiedAt: expect.any(Number), passwordHash: null })

        const others = { browser: createBrowser(app), there: createBrowser(upstream.site) }
        const second = await logInThrough(name, others, pages(others.there))
        expect([name, second.screen.url.pathname]).toEqual([name, '/account'])
        expect(upstream.authenticated.splice(0)).toEqual([method, method])
        const sessions = await app.rows.sessions.all()
        expect(sessions.filter(({ userId }) => userId === made.id)).toHaveLength(2)
      }
      expect([await app.rows.users.count(), await app.rows.identities.count()]).toEqual([moods.length, moods.length])
      expect((await app.rows.identities.one({ provider: 'pairwise' })).subject).toMatch(/^[\w-]{43}$/)
    } finally {
      await upstream.stop()
    }
  })

  test('U: oidc-provider changes its keys while a person is there; an encrypted ID token is refused, and the log says so', async () => {
    const { app } = await openHere()
    const upstream = await startOidcProvider()
    try {
      for (const name of ['post', 'encrypted']) {
        const own = { name, issuer: upstream.url, clientId: name, clientSecret: 's', authMethod: 'post' } as const
        await addedAt(app, { ...own, trustsEmail: true })
      }
      const pagesOf = (there: TestBrowser, last: () => void) => (page: Screen) => {
        if (page.forms.some(isLogin)) return there.submit({ login: 'ada', password: 'x' }, isLogin)
        last()
        return there.submit({}, ({ method }) => method === 'post')
      }
      const both = { browser: createBrowser(app), there: createBrowser(upstream.site) }
      const first = await logInThrough('post', both, pagesOf(both.there, upstream.rotate))
      expect([first.seen.length, first.screen.url.pathname]).toEqual([2, '/account'])
      const again = { browser: createBrowser(app), there: createBrowser(upstream.site) }
      const second = await logInThrough('post', again, pagesOf(again.there, upstream.rotate))
      expect(second.screen.url.pathname).toBe('/account')
      expect(await app.rows.users.count()).toBe(1)

      const other = { browser: createBrowser(app), there: createBrowser(upstream.site) }
      const { screen } = await logInThrough(
        'encrypted',
        other,
        pagesOf(other.there, () => {}),
      )
      expect([screen.status, screen.title]).toEqual([400, 'Logging in did not work'])
      const said = app.logs.find((line) => line.includes('provider_failed'))
      expect(JSON.parse(said!)).toMatchObject({ provider: 'encrypted', reason: 'id_token_encrypted' })
    } finally {
      await upstream.stop()
    }
  })

  test('U: Keyward against Keyward: sign-in and consent there, an account here, and the same one again', async () => {
    const { app } = await openHere()
    const issuer = `http://127.0.0.1:${await freePort()}`
    const clock = manualClock(Date.now())
    const { app: upstream } = await openMail(dialect, { clock, env: { PUBLIC_URL: issuer } })
    const served = serve(upstream, Number(new URL(issuer).port))
    try {
      const ada = await upstream.signUp('ada', password)
      await upstream.rows.users.change({ id: ada.id }, { emailVerifiedAt: 1 })
      const redirectUri = `${here.PUBLIC_URL}/social/head/callback`
      const { id: clientId, secret: clientSecret } = await registerClient(upstream, { redirectUri })
      await addedAt(app, { name: 'head', issuer, clientId, clientSecret, trustsEmail: true })
      const isLogin = ({ fields }: { fields: object }) => 'password' in fields
      const pages = (there: TestBrowser) => (page: Screen) =>
        page.forms.some(isLogin)
          ? there.submit({ username: 'ada', password }, isLogin)
          : there.submit({}, ({ fields }) => fields.decision === 'allow')
      for (const asked of [2, 1]) {
        const both = { browser: createBrowser(app), there: createBrowser(upstream) }
        const { screen, seen } = await logInThrough('head', both, pages(both.there))
        expect([seen.length, screen.status, screen.url.pathname]).toEqual([asked, 200, '/account'])
      }
      expect(await app.rows.users.one()).toMatchObject({ email: ada.email, username: 'ada', passwordHash: null })
      expect(await app.rows.identities.one()).toMatchObject({ issuer, subject: String(ada.id) })
      expect(await app.rows.sessions.count()).toBe(2)
    } finally {
      await served.stop()
    }
  })
})

const isLogin = ({ fields }: { fields: object }) => 'login' in fields

interface RunningUpstream {
  url: string
  site: Site
  /** How each request to the token endpoint authenticated: oidc-provider itself takes both ways for every client. */
  authenticated: string[]
  /** Replaces all keys at once. What the provider knows stays. */
  rotate(): void
  stop(): Promise<void>
}

/** What oidc-provider keeps, in a map that stays when its keys change. */
const adapterOf =
  (stored: Map<string, AdapterPayload>) =>
  (kind: string): Adapter => {
    const keyOf = (id: string) => `${kind}:${id}`
    const having = async (member: 'uid' | 'userCode', value: string) =>
      [...stored].find(([key, one]) => key.startsWith(`${kind}:`) && one[member] === value)?.[1]
    return {
      upsert: async (id, payload) => void stored.set(keyOf(id), payload),
      find: async (id) => stored.get(keyOf(id)),
      findByUid: (uid) => having('uid', uid),
      findByUserCode: (userCode) => having('userCode', userCode),
      consume: async (id) =>
        void Object.assign(stored.get(keyOf(id)) ?? {}, { consumed: Math.floor(Date.now() / 1000) }),
      destroy: async (id) => void stored.delete(keyOf(id)),
      async revokeByGrantId(grantId) {
        for (const [key, one] of stored) if (one.grantId === grantId) stored.delete(key)
      },
    }
  }

/** Starts oidc-provider with its own pages, which take every name and password. */
async function startOidcProvider(): Promise<RunningUpstream> {
  const url = `http://127.0.0.1:${await freePort()}`
  const jwk = (key: { privateKey: KeyObject }, alg: string) => ({
    ...key.privateKey.export({ format: 'jwk' }),
    ...{ alg, use: 'sig', kid: alg },
  })
  const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
  let made = 0
  const newKeys = () => {
    made++
    const keys = [
      jwk(rsa(), 'RS256'),
      jwk(rsa(), 'PS256'),
      jwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ES256'),
      jwk(generateKeyPairSync('ed25519'), 'EdDSA'),
    ]
    return { keys: keys.map((key) => ({ ...key, kid: `${key.kid}-${made}` })) } as NonNullable<Configuration['jwks']>
  }
  const settings: Configuration = {
    clients: [...moods, { name: 'encrypted', method: 'client_secret_post', alg: 'RS256' } as const].map(
      ({ name, method, alg }) => ({
        client_id: name,
        client_secret: 's',
        redirect_uris: [`${here.PUBLIC_URL}/social/${name}/callback`],
        token_endpoint_auth_method: method,
        id_token_signed_response_alg: alg,
        ...(name === 'pairwise' && { subject_type: 'pairwise' as const }),
        ...(name === 'encrypted' && { id_token_encrypted_response_alg: 'A256KW' as const }),
      }),
    ),
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: async (_, accountId, { clientId }) =>
      createHash('sha256').update(`${clientId} ${accountId}`).digest('base64url'),
    features: { encryption: { enabled: true } },
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      idTokenEncryptionAlgValues: ['A256KW'],
    },
    cookies: { keys: ['a key of the test'] },
    claims: { profile: ['preferred_username'], email: ['email', 'email_verified'] },
    findAccount: (_, accountId) => ({
      accountId,
      claims: async () => ({
        sub: accountId,
        preferred_username: accountId,
        email: `${accountId}@example.com`,
        email_verified: true,
      }),
    }),
  }
  const stored = new Map<string, AdapterPayload>()
  const newProvider = () =>
    new OidcProvider(url, { ...settings, jwks: newKeys(), adapter: adapterOf(stored) }).callback()
  let answer = newProvider()
  const authenticated: string[] = []
  const server = createServer((request, response) => {
    const method = request.headers.authorization?.startsWith('Basic ') ? 'client_secret_basic' : 'client_secret_post'
    if (request.url === '/token') authenticated.push(method)
    return answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(Number(new URL(url).port), '127.0.0.1', resolve))
  return {
    url,
    authenticated,
    rotate() {
      answer = newProvider()
    },
    site: { config: { PUBLIC_URL: url }, fetch: (request) => fetch(request, { redirect: 'manual' }) },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
