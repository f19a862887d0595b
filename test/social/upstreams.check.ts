import { afterEach, expect, test } from 'bun:test'
import { createHmac, createPublicKey, verify } from 'node:crypto'
import type { TestApp } from '../support/app.ts'
import { createBrowser } from '../support/browser.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsWithMail } from '../verification/support.ts'
import { good, type MockProvider, type Mood, mockProvider, towards } from './issuer.ts'
import { applePrivateKey, local, signIn } from './support.ts'

const nothing = async (app: TestApp) => [
  await app.rows.users.count(),
  await app.rows.identities.count(),
  await app.rows.sessions.count(),
]

describeEachDialect('the faults and quirks of other services', (dialect) => {
  const openMail = appsWithMail()
  const mocks: MockProvider[] = []
  afterEach(async () => {
    for (const mock of mocks.splice(0)) await mock.stop()
  })
  const open = async () => {
    const mock = await mockProvider()
    mocks.push(mock)
    const { app } = await openMail(dialect, { env: local, replace: { outgoing: towards(() => mock) } })
    const acme = { name: 'acme', label: 'Acme', issuer: mock.url, clientId: 'keyward', clientSecret: 's' }
    await app.admin.addProvider({ ...acme, kind: 'oidc', trustsEmail: true })
    return { app, mock }
  }

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
      const page = await signIn(createBrowser(app), mock, 'acme')
      expect([name, page.status, page.title]).toEqual([name, 400, 'Logging in did not work'])
      pages.add(page.html)
    }
    mock.mood = good
    const answers: Record<string, string>[] = [{ error: 'access_denied' }, { iss: 'https://x.example' }, { code: 'x' }]
    for (const more of answers) {
      const page = await signIn(createBrowser(app), mock, 'acme', more)
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
    expect((await createBrowser(app).open('/social/path')).title).toBe('Logging in did not work')
    const { social } = app.admin
    expect(await social.checkProvider('path')).toMatchObject([{ check: 'metadata', result: 'failed' }])
    const results = async () => (await social.checkProvider('acme')).map(({ check, result }) => `${check} ${result}`)
    expect(await results()).toEqual(['metadata ok', 'keys ok', 'credentials ok'])
    mock.api['/token'] = () => Response.json({ error: 'invalid_client' }, { status: 401 })
    expect(await results()).toEqual(['metadata ok', 'keys ok', 'credentials failed'])
    delete mock.api['/token']
    expect((await signIn(createBrowser(app), mock, 'acme')).path).toStartWith('/account')
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
      const page = await signIn(createBrowser(app), mock, name)
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
})
