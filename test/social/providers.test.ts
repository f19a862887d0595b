import { expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { MINUTE } from '../../src/lib/clock.ts'
import { acts, answered, person } from '../administration/support.ts'
import { createTestApp, testSecret } from '../support/app.ts'
import { describeApp } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { applePrivateKey, githubBody, type ProviderBody, patch, post } from './support.ts'

type View = Record<string, unknown>

describeApp('providers of social login over HTTP', {}, (app) => {
  test('P2: a provider is added, shown, changed and deleted; its secret is sealed and in no answer', async () => {
    const boss = await person(app, 'boss', 'admin')
    const sent = await post(app, boss.token, githubBody)
    expect(sent.headers.get('location')).toBe('../admin/providers/github')
    const made = await answered<View>(Promise.resolve(sent), 201)
    expect(made).toMatchObject({
      name: 'github',
      label: 'GitHub',
      issuer: 'https://github.com',
      has_secret: true,
      callback_url: 'http://localhost:8000/social/github/callback',
      trust_email: true,
      link: 'ask',
      sign_up: true,
      enabled: true,
      scopes: null,
    })
    const token = boss.token
    await expectRefusal(await post(app, token, githubBody), 'provider_taken')

    const before = await app.rows.providers.one()
    // A request that changes nothing writes nothing, also with the same secret.
    await app.clock.advance(1000)
    const same = await answered<View>(
      patch(app, token, 'github', { label: 'GitHub', client_secret: githubBody.client_secret }),
    )
    expect([same, await app.rows.providers.one()]).toEqual([made, before])
    const changed = await answered<View>(
      patch(app, token, 'github', { link: 'automatic', client_secret: 'another-3b', scopes: ['user:email'] }),
    )
    expect(changed).toMatchObject({ link: 'automatic', scopes: ['user:email'], label: 'GitHub' })
    expect((await app.rows.providers.one()).sealedSecret).not.toBe(before.sealedSecret)
    expect(await answered<View>(patch(app, token, 'github', { scopes: [] }))).toMatchObject({ scopes: null })

    const one = await answered<View>(app.request('GET', '/admin/providers/github', { token }))
    expect(await answered<View>(app.request('GET', '/admin/providers', { token }))).toEqual({ items: [one] })
    expect((await app.request('DELETE', '/admin/providers/github', { token })).status).toBe(204)
    for (const [method, path] of [
      ['GET', 'github'],
      ['PATCH', 'github'],
      ['DELETE', 'github'],
      ['GET', 'GitHub'],
    ] as const)
      await expectRefusal(
        await app.request(method, `/admin/providers/${path}`, { token, ...(method === 'PATCH' && { json: {} }) }),
        'provider_not_found',
      )

    const by = { userId: null, actorId: boss.id, ip: '192.0.2.1' }
    expect(await acts(app)).toEqual([
      { event: 'provider.created', ...by, details: { name: 'github', kind: 'github' } },
      { event: 'provider.changed', ...by, details: { name: 'github', fields: 'client_secret settings link' } },
      { event: 'provider.changed', ...by, details: { name: 'github', fields: 'settings' } },
      { event: 'provider.deleted', ...by, details: { name: 'github' } },
    ])
    const kept = JSON.stringify([before, made, changed, app.logs, await app.rows.auditEvents.all()])
    expect(kept).not.toContain(githubBody.client_secret)
    expect(kept).not.toContain('another-3b')
  })

  test('each kind has its rules, and every wrong field is named at once', async () => {
    const { token } = await person(app, 'boss', 'admin')
    const apple = { kind: 'apple', team_id: 'ABCDE12345', key_id: 'KEY1234567', client_secret: await applePrivateKey() }
    const tenant = '9188040d-6c67-4c5b-b112-36a304b66dad'
    const issuer = 'https://login.example.com/realms/one'
    const good: [ProviderBody, View][] = [
      [apple, { issuer: 'https://appleid.apple.com', trust_email: true }],
      [
        { kind: 'microsoft', tenant: 'common' },
        { issuer: 'https://login.microsoftonline.com/common/v2.0', trust_email: false },
      ],
      [
        { kind: 'microsoft', tenant, trust_email: true },
        { tenant, trust_email: true },
      ],
      [
        { kind: 'google', hosted_domain: 'example.com' },
        { hosted_domain: 'example.com', trust_email: true },
      ],
      [{ kind: 'gitlab' }, { issuer: 'https://gitlab.com', trust_email: false }],
      [
        { kind: 'github', issuer: 'https://git.example.com' },
        { label: 'GitHub', trust_email: false },
      ],
      [{ kind: 'discord' }, { issuer: 'https://discord.com', trust_email: true }],
      [
        { kind: 'oidc', issuer, client_secret: null, auth_method: 'post' },
        { issuer, has_secret: false, trust_email: false },
      ],
      [{ kind: 'oidc', issuer: 'http://127.0.0.1:9000' }, { issuer: 'http://127.0.0.1:9000' }],
    ]
    for (const [at, [body, view]] of good.entries()) {
      const answer = await post(app, token, { client_id: 'keyward', client_secret: 'x', ...body, name: `p-${at}` })
      expect(await answered<View>(Promise.resolve(answer), 201)).toMatchObject({ ...view, name: `p-${at}` })
    }

    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
    const bad: [ProviderBody, string[]][] = [
      [{ kind: 'oidc' }, ['issuer']],
      [{ kind: 'google', client_secret: undefined }, ['client_secret']],
      [{ kind: 'google', issuer, tenant: 'common' }, ['issuer', 'tenant']],
      [{ kind: 'google', hosted_domain: 'Example.com' }, ['hosted_domain']],
      [{ kind: 'google', scopes: ['email'] }, ['scopes']],
      [{ kind: 'microsoft' }, ['tenant']],
      [{ kind: 'microsoft', tenant: 'example.com' }, ['tenant']],
      [{ kind: 'microsoft', tenant: 'common', trust_email: true }, ['trust_email']],
      [{ kind: 'apple', client_secret: String(rsa) }, ['team_id', 'key_id', 'client_secret']],
      [
        { kind: 'discord', client_id: 'a b', label: 'a\u0007', client_secret: 'ü' },
        ['label', 'client_id', 'client_secret'],
      ],
      [{ kind: 'github', auth_method: 'post' }, ['auth_method']],
      ...['Github', 'a_b', '-a', 'a-', 'x'.repeat(33), '', 'a/b'].map((name): [ProviderBody, string[]] => [
        { kind: 'github', name },
        ['name'],
      ]),
      ...[
        'http://login.example.com',
        'https://login.example.com?x',
        'https://login.example.com#x',
        'https://a@login.example.com',
        'https://',
        'javascript:alert(1)',
        'https://login.example.com\\@evil.example',
      ].map((bad): [ProviderBody, string[]] => [{ kind: 'oidc', issuer: bad }, ['issuer']]),
    ]
    for (const [body, fields] of bad) {
      const answer = await post(app, token, { name: 'bad', client_id: 'keyward', client_secret: 'x', ...body })
      const { errors } = (await answer.json()) as { errors?: { field: string }[] }
      expect([body, answer.status, errors?.map(({ field }) => field)]).toEqual([body, 422, fields])
    }
    await expectRefusal(await patch(app, token, 'p-1', { trust_email: true }), 'validation_failed')
    expect(await app.rows.providers.count()).toBe(good.length)
  })

  test('P2: a change of SECRET_KEY moves the seals; a seal is bound to the row and to who gets the secret', async () => {
    const { token } = await person(app, 'boss', 'admin')
    await answered(post(app, token, githubBody), 201)
    const env = { SECRET_KEY: '99b0f5bdd569a4fc93059bb2079b2178540a77b7cd053be3', SECRET_KEY_PREVIOUS: testSecret }
    const next = await createTestApp({ databaseUrl: app.databaseUrl, clock: app.clock, env, jobs: true, seed: 'next' })
    const { sealedSecret } = await app.rows.providers.one()
    // While a server with the former SECRET_KEY runs, nothing is moved.
    await next.passTime(MINUTE)
    expect((await next.rows.providers.one()).sealedSecret).toBe(sealedSecret)
    await next.passTime(4 * MINUTE)
    const moved = (await next.rows.providers.one()).sealedSecret
    expect(moved).not.toBe(sealedSecret)
    const same = { client_secret: githubBody.client_secret }
    const update = async () => {
      const before = await next.rows.providers.one()
      await answered(patch(next, token, before.name, same))
      return (await next.rows.providers.one()).sealedSecret !== before.sealedSecret
    }
    // It still opens: the same secret is no change. Moved to another issuer it does not.
    expect(await update()).toBe(false)
    await next.rows.providers.change({}, { issuer: 'https://evil.example' })
    expect(await update()).toBe(true)
    await next.close()
  })
})
