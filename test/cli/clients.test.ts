import { beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { TestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { scratchFolder } from '../support/scratch.ts'

interface View {
  id: string
  secret: string | null
  secrets: { id: number; hint: string; revoked_at: string | null; expires_at: string | null }[]
  [member: string]: unknown
}

/** Every command runs while the server runs on the same database. */
describeEachDialect('keyward clients', (dialect) => {
  const apps = appsPerTest()
  let app: TestApp
  let seed = 0
  const run = (words: readonly string[], more: { confirms?: boolean; env?: Record<string, string> } = {}) =>
    keyward(words, { databaseUrl: app.databaseUrl, clock: app.clock, seed: `run ${seed++}`, ...more })
  const done = async (...words: string[]) => {
    const { code, out, err } = await run(words)
    expect([words, code, err]).toEqual([words, 0, expect.any(String)])
    return out
  }
  const json = async (...words: string[]) => JSON.parse(await done(...words, '--json')) as View
  const refused = async (words: string[], why: RegExp, exit = 1) => {
    const { code, out, err } = await run(words)
    expect([words, code, out]).toEqual([words, exit, ''])
    expect(err).toMatch(why)
  }

  beforeEach(async () => {
    app = await apps.open({ dialect })
  })

  test('15.1 create, list, show, update and delete a client, with the JSON of the HTTP routes', async () => {
    const uris = ['https://shop.example/cb?a=1,2', 'http://127.0.0.1/cb']
    const made = await json(
      ...['clients', 'create', 'Shop', '--redirect', uris[0]!, '--redirect', uris[1]!, '--trusted', '--no-pkce'],
      ...[
        '--post-logout',
        'https://shop.example/',
        '--backchannel',
        'https://shop.example/out',
        '--scopes',
        'openid, orders',
      ],
    )
    expect(made).toMatchObject({
      name: 'Shop',
      public: false,
      redirect_uris: uris,
      post_logout_redirect_uris: ['https://shop.example/'],
      backchannel_logout_uri: 'https://shop.example/out',
      scopes: ['openid', 'orders'],
      trusted: true,
      require_pkce: false,
    })
    const authenticated = app.admin.clients.authenticate({ id: made.id, secret: made.secret!, client: 'x', ip: '' })
    expect((await authenticated).name).toBe('Shop')
    const printed = await run(['clients', 'create', 'Phone', '--public', '--redirect', 'com.example.phone:/cb'])
    expect(printed).toMatchObject({ code: 0, err: '' })
    expect(printed.out).toMatch(/^Discovery: +http\S+\/\.well-known\/openid-configuration$/m)
    expect(printed.out).not.toContain('kwc_')
    const secretly = await run(['clients', 'create', 'Desk', '--redirect', 'https://desk.example/cb'])
    expect(secretly.err).toBe('The secret of the client. It is shown only once:\n')
    expect(secretly.out).toMatch(/\nkwc_[\w-]{49}\n$/)
    expect((await done('clients', 'list')).trimEnd().split('\n')).toHaveLength(4)
    const listed = (await done('clients', 'list', '--json'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as View)
    expect(listed.map(({ name }) => name).sort()).toEqual(['Desk', 'Phone', 'Shop'])
    const { id } = made
    const changed = await json(
      'clients',
      'update',
      id,
      '--pkce',
      'yes',
      '--backchannel',
      '',
      '--redirect',
      uris[1]!,
      '--enabled',
      'no',
    )
    expect(changed).toMatchObject({
      redirect_uris: [uris[1]],
      backchannel_logout_uri: null,
      require_pkce: true,
      enabled: false,
      trusted: true,
    })
    expect(await json('clients', 'show', id)).toEqual(changed)
    expect(await done('clients', 'show', id)).toMatch(/^ID tokens: +RS256, lean: the claims are at \/userinfo$/m)
    expect(await json('clients', 'update', id, '--acr', 'aal2')).toMatchObject({ required_acr: 'aal2' })
    expect(await done('clients', 'show', id)).toMatch(/^Level: +aal2$/m)
    expect(await json('clients', 'update', id, '--acr', '')).toMatchObject({ required_acr: null })
    await refused(['clients', 'update', id, '--acr', 'aal3'], /--acr takes one of aal1, aal2, phr; did you mean/, 2)
    await refused(['clients', 'update', id], /Say what to change/, 2)
    await refused(['clients', 'update', id, '--trusted', 'maybe'], /--trusted takes one of yes, no/, 2)
    await refused(
      ['clients', 'update', id, '--redirect', 'http://shop.example/'],
      /^redirect_uris\.0: With http the host/,
    )
    await refused(['clients', 'create', 'X', '--redirect', 'https://x.example/#'], /^redirect_uris\.0: .*fragment/)
    await refused(['clients', 'create', 'X', '--grants', 'implicit'], /^grant_types: There are the grants/)
    await refused(['clients', 'show', 'kwa_x'], /^Client not found$/m)
    await refused(['clients', 'delete', id], /There is no terminal to ask at/, 2)
    expect((await run(['clients', 'delete', id], { confirms: false })).code).toBe(1)
    expect(await done('clients', 'delete', id, '--yes')).toBe('Deleted the client Shop\n')
    await refused(['clients', 'delete', id, '--yes'], /Client not found/)
    const { code, err } = await run(['clients', 'create', 'Y', '--redirect', 'https://y.example/'], {
      env: { PAGES: 'off' },
    })
    expect([code, err]).toEqual([1, expect.stringContaining('PAGES=off')])
  })

  test('15.1 replace a secret', async () => {
    const { id, secret } = await json('clients', 'create', 'Shop', '--redirect', 'https://shop.example/cb')
    const second = await json('clients', 'secret', 'add', id, '--days', '90', '--other-hours', '24')
    expect(second.secret).not.toBe(secret)
    await refused(['clients', 'secret', 'add', id], /two live secrets/)
    const { secrets } = await json('clients', 'show', id)
    expect(secrets.map(({ hint }) => hint)).toEqual([second.secret!.slice(-4), secret!.slice(-4)])
    expect(secrets.every(({ expires_at }) => expires_at !== null)).toBe(true)
    expect(await done('clients', 'secret', 'revoke', id, String(secrets[1]!.id))).toBe(
      `Revoked secret ${secrets[1]!.id}\n`,
    )
    await refused(['clients', 'secret', 'revoke', id, String(secrets[1]!.id)], /Client secret not found/)
    await refused(['clients', 'secret', 'add', id, '--days', '0'], /--days takes a whole number/, 2)
    expect(await done('clients', 'show', id)).toMatch(/^Secret \d+: +…\S{4}, made .*, revoked .*, last used never$/m)
  })

  test('15.O2: check shows the registered and the sent address side by side', async () => {
    const registered = 'https://shop.example/callback'
    const { id } = await json(
      'clients',
      'create',
      'Shop',
      '--redirect',
      registered,
      '--redirect',
      'http://127.0.0.1/cb',
    )
    expect(await done('clients', 'check', id, registered)).toBe('The client may use this address\n')
    expect(await done('clients', 'check', id, 'http://127.0.0.1:5100/cb')).toBe('The client may use this address\n')
    const { code, out, err } = await run(['clients', 'check', id, 'https://shop.example/Callback'])
    expect([code, err]).toEqual([1, ''])
    expect(out.split('\n').slice(0, 3)).toEqual([
      `registered: ${registered}`,
      'asked:      https://shop.example/Callback',
      `            ${' '.repeat(21)}^ character 22: "c" is registered, "C" was asked`,
    ])
    expect((await run(['clients', 'check', id, `${registered}/`])).out).toContain(
      'character 30: the end is registered, "/" was asked',
    )
    const compared = await run(['clients', 'check', id, 'https://shop.example/call', '--json'])
    expect([compared.code, JSON.parse(compared.out)]).toEqual([
      1,
      {
        allowed: false,
        asked: 'https://shop.example/call',
        registered: [
          { uri: registered, allowed: false, differs_at: 26 },
          { uri: 'http://127.0.0.1/cb', allowed: false, differs_at: 5 },
        ],
      },
    ])
  })

  test('15.1 apply creates and changes what a file declares, once', async () => {
    const file = join(scratchFolder('apply'), 'keyward.json')
    const declare = (clients: unknown) => Bun.write(file, JSON.stringify({ clients }))
    const other = await json('clients', 'create', 'Other', '--redirect', 'https://other.example/')
    const shop = { name: 'Shop', redirect_uris: ['https://shop.example/cb'], trusted: true }
    const phone = { id: 'kwa_aebagbafaydqqcikbmga', name: 'Phone', public: true, redirect_uris: ['app.phone:/cb'] }
    await declare([shop, phone])
    expect(await done('apply', file, '--dry-run')).toBe(
      'Would create the client Shop\nWould create the client Phone\n0 of 2 are as declared\n',
    )
    expect((await run(['apply', file, '--check'])).code).toBe(2)
    expect(await app.rows.clients.count()).toBe(1)
    const lines = (await done('apply', file, '--json'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(lines).toEqual([
      {
        action: 'create',
        kind: 'client',
        name: 'Shop',
        id: expect.stringMatching(/^kwa_/),
        secret: expect.stringMatching(/^kwc_/),
        changes: [],
      },
      { action: 'create', kind: 'client', name: 'Phone', id: phone.id, changes: [] },
    ])
    expect(await done('apply', file)).toBe('Nothing to do: 2 of 2 were as declared\n')
    expect((await run(['apply', file, '--check'])).code).toBe(0)
    await declare([
      { ...shop, trusted: false, redirect_uris: ['https://shop.example/cb', 'https://shop.example/b'] },
      { id: phone.id, name: 'Mobile' },
    ])
    expect(await done('apply', file)).toBe(
      [
        'Changed the client Shop',
        '  redirect_uris: ["https://shop.example/cb"] -> ["https://shop.example/cb","https://shop.example/b"]',
        '  trusted: true -> false',
        'Changed the client Phone',
        '  name: "Phone" -> "Mobile"',
        '0 of 2 were as declared\n',
      ].join('\n'),
    )
    // What the file does not name stays: the other client, and the settings without a member.
    expect((await json('clients', 'show', phone.id)).redirect_uris).toEqual(phone.redirect_uris)
    expect((await json('clients', 'show', other.id)).name).toBe('Other')
    const before = await app.rows.clients.all()
    for (const [clients, why] of [
      [
        [
          { ...shop, trusted: false, name: 'Shop' },
          { name: 'New', redirect_uris: ['https://new.example/#'] },
        ],
        /^clients\.1\.redirect_uris\.0: .*fragment/,
      ],
      [[{ nam: 'Shop' }], /clients\.0 has the unknown member "nam"; did you mean name\?/],
      [[{ name: 'Shop', redirect_uris: 'https://shop.example' }], /clients\.0\.redirect_uris must be a list of texts/],
      [[{ name: 'Shop', public: true }], /clients\.0\.public never changes/],
      [[shop, shop], /clients\.1 names the same client/],
      [[{ trusted: true }], /clients\.0 has neither a name nor an id/],
      [[{ id: 'kwa_x', name: 'X', redirect_uris: ['https://x.example/'] }], /^clients\.0\.id: /],
      [{}, /clients must be a list of objects/],
    ] as const) {
      await declare(clients)
      await refused(['apply', file], why)
    }
    await Bun.write(file, '{"clients":[],"clients":[]}')
    await refused(['apply', file], /is not valid JSON/)
    await Bun.write(file, '{"cleints":[]}')
    await refused(['apply', file], /unknown member "cleints"/)
    await refused(['apply', `${file}.none`], /cannot be read/)
    expect(await app.rows.clients.all()).toEqual(before)
    await app.admin.createClient({ name: 'Shop' })
    await declare([shop])
    await refused(['apply', file], /clients\.0: 2 clients have this name; add the member id/)
  })

  test('15.5 apply adds and changes providers; a secret comes from a variable that the file names', async () => {
    const file = join(scratchFolder('apply'), 'providers.json')
    const declare = (providers: unknown) => Bun.write(file, JSON.stringify({ providers }))
    const github = { kind: 'github', client_id: 'Iv1.0123456789abcdef', client_secret_env: 'GITHUB_SECRET' }
    const acme = { name: 'acme', kind: 'oidc', issuer: 'https://acme.example', client_id: '7' }
    await declare([github])
    await refused(['apply', file], /providers\.0\.client_secret_env names a variable that is not set/)
    const apply = async (secret: string, ...more: string[]) => {
      const { code, out } = await run(['apply', file, ...more], { env: { GITHUB_SECRET: secret } })
      return [code, out]
    }
    expect(await apply('one', '--check')).toEqual([2, 'Would create the provider github\n0 of 1 are as declared\n'])
    expect(await app.rows.providers.count()).toBe(0)
    const [code, out] = await apply('one')
    expect([code, out]).toEqual([0, expect.stringContaining('/social/github/callback')])
    expect(await apply('one', '--check')).toEqual([0, 'Nothing to do: 1 of 1 are as declared\n'])
    const [, changed] = await apply('two')
    expect(changed).toContain('client_secret: "another" -> "as in the variable"')
    await declare([{ ...github, label: 'Octocat', enabled: false }])
    expect((await apply('two'))[1]).toContain('label: "GitHub" -> "Octocat"')
    for (const [providers, why] of [
      [[{ ...github, kind: 'gitlab', name: 'github' }], /providers\.0\.kind never changes/],
      [[{ ...acme, issuer: 'http://acme.example' }], /providers\.0\.issuer: /],
      [[{ kind: 'fax', client_id: 'x' }], /providers\.0\.kind must be one of/],
      [[{ name: 'acme', kind: 'oidc' }], /a new provider needs a client_id/],
      [[acme, acme], /providers\.1 names the same provider/],
      [[{ label: 'x' }], /has neither a name nor a kind/],
    ] as const) {
      await declare(providers)
      const { code: refusal, err } = await run(['apply', file], { env: { GITHUB_SECRET: 'two' } })
      expect([refusal, err]).toEqual([1, expect.stringMatching(why)])
    }
    expect(await app.rows.providers.count()).toBe(1)
  })
})
