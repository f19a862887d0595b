import { beforeEach, expect, test } from 'bun:test'
import { createTestApp } from '../support/app.ts'
import { keyward, migrated } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'

describeEachDialect('keyward providers', (dialect) => {
  let databaseUrl: string
  const run = (argv: string[], more: { secret?: string; confirms?: boolean; env?: Record<string, string> } = {}) =>
    keyward(['providers', ...argv, '--dev'], { databaseUrl, secret: 'github-secret-1f2e', ...more })
  beforeEach(async () => {
    databaseUrl = await migrated((await dialect.databaseUrl()).url)
  })

  test('add, list, show, update and remove; the secret comes from a prompt or a variable, and is never shown', async () => {
    const added = await run(['add', 'github', '--client-id', 'Iv1.0123', '--sign-up', 'no'])
    expect([added.code, added.err]).toEqual([0, ''])
    expect(added.out).toStartWith(
      'Added the provider github. Its redirect URI, for its console:\nhttp://localhost:8000/social/github/callback\n',
    )
    expect(added.out).toContain('Client secret:     stored\n')
    const issuer = 'https://login.example.com'
    const argv = ['add', 'oidc', '--name', 'acme', '--issuer', issuer, '--client-id', 'keyward', '--public', '--json']
    expect(JSON.parse((await run(argv)).out)).toMatchObject({ name: 'acme', has_secret: false, label: 'acme' })
    expect((await run(['list'])).out).toBe(
      [
        'NAME    KIND    LABEL   STATE  LINK  ISSUER',
        'acme    oidc    acme    on     ask   https://login.example.com',
        'github  github  GitHub  on     ask   https://github.com',
        '',
      ].join('\n'),
    )

    const changed = await run(['update', 'github', '--secret-env', 'S', '--enabled', 'no', '--json'], {
      env: { S: 'another-3b' },
    })
    expect(JSON.parse(changed.out)).toMatchObject({ enabled: false, sign_up: false })
    const app = await createTestApp({ databaseUrl })
    const fields = (await app.rows.auditEvents.one({ event: 'provider.changed' })).details
    expect(JSON.parse(fields!)).toEqual({ name: 'github', fields: 'client_secret enabled' })

    const refusals: [string[], number, RegExp][] = [
      [['add', 'github', '--client-id', 'x'], 1, /^A provider with this name already exists/],
      [['add', 'myspace', '--client-id', 'x'], 2, /KIND takes one of oidc, google/],
      [['add', 'google'], 2, /client-id/],
      [['add', 'google', '--client-id', 'x', '--tenant', 'common'], 1, /^tenant: /],
      [['add', 'google', '--client-id', 'x', '--secret-env', 'NO_SUCH'], 2, /not set/],
      [['update', 'github'], 2, /^Say what to change/],
      [['update', 'nobody', '--link', 'ask'], 1, /^Provider not found/],
      [['show', 'nobody'], 1, /^Provider not found/],
      [['remove', 'github'], 2, /add --yes/],
    ]
    for (const [argv, code, message] of refusals) {
      const refused = await run(argv)
      expect([argv, refused.code, message.test(refused.err) || refused.err]).toEqual([argv, code, true])
    }
    expect((await run(['remove', 'github'], { confirms: false })).code).toBe(1)
    expect((await run(['remove', 'github'], { confirms: true })).out).toBe('Deleted the provider github\n')
    expect(await app.rows.providers.count()).toBe(1)
    await app.close()
    expect(added.out + changed.out).not.toMatch(/github-secret|another-3b/)
  })
})
