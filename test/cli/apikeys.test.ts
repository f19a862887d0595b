import { beforeEach, expect, test } from 'bun:test'
import { DAY } from '../../src/lib/clock.ts'
import { turns } from '../sessions/support.ts'
import { createTestApp } from '../support/app.ts'
import { keyward, migrated } from '../support/cli.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'

describeEachDialect('keyward apikeys', (dialect) => {
  let clock: ManualClock
  let databaseUrl: string
  let commands = 0
  const run = (argv: string[]) =>
    keyward([...argv, '--dev'], {
      databaseUrl,
      clock,
      secret: 'correct horse battery',
      seed: `command ${++commands}`,
      env: { BCRYPT_COST: '4' },
    })
  const create = (more: string[]) => run(['apikeys', 'create', '--owner', 'ada', '--name', 'gateway', ...more])
  const list = async () => (await run(['apikeys', 'list'])).out.trimEnd().split('\n').slice(1)

  beforeEach(async () => {
    clock = manualClock()
    databaseUrl = await migrated((await dialect.databaseUrl()).url)
    for (const [name, admin] of [
      ['ada', true],
      ['bea', false],
    ] as const) {
      const argv = [
        'users',
        'create',
        '--email',
        `${name}@example.com`,
        '--username',
        name,
        ...(admin ? ['--admin'] : []),
      ]
      expect((await run(argv)).code).toBe(0)
    }
  })

  test('create prints only the key, once; it works until it is revoked or expires', async () => {
    const { code, out, err } = await create(['--scope', 'tokens:introspect, tokens:introspect', '--days', '7'])
    expect(code).toBe(0)
    expect(err).toBe('API key 1 for ada. It is shown only once:\n')
    expect(out).toMatch(/^kw_[\w-]{38}\n$/)
    const forever = (await create(['--scope', 'tokens:introspect'])).out.trim()
    const app = await createTestApp({ databaseUrl, clock })
    const works = async (token: string) =>
      (await app.request('POST', '/introspect', { token, form: { token: 'x' } })).status === 200
    const key = out.trim()
    expect([await works(key), await works(forever)]).toEqual([true, true])
    // Nothing waits for the record of the last use.
    while ((await app.rows.apiKeys.count({ lastUsedAt: null })) > 0) await turns(1)
    expect(await list()).toEqual([
      ' 1  gateway  ada    active  2026-01-01 00:00:00Z  tokens:introspect',
      ' 2  gateway  ada    active  2026-01-01 00:00:00Z  tokens:introspect',
    ])
    await clock.advance(7 * DAY)
    expect([await works(key), await works(forever)]).toEqual([false, true])
    expect((await run(['apikeys', 'revoke', '2'])).out).toBe('Revoked API key 2\n')
    expect(await works(forever)).toBe(false)
    expect((await list()).map((line) => line.slice(20, 27))).toEqual(['expired', 'revoked'])
    expect((await list()).join()).not.toContain(key.slice(3, 20))
    await app.close()
  })

  test('create refuses scopes that the owner does not have, and wrong arguments, and creates nothing', async () => {
    const refusals: [string[], number, RegExp][] = [
      [['apikeys', 'create', '--owner', 'bea', '--name', 'x', '--scope', 'tokens:introspect'], 1, /^scopes: .*owner/],
      [['apikeys', 'create', '--owner', 'nobody', '--name', 'x', '--scope', 'tokens:introspect'], 1, /^User not found/],
      [['apikeys', 'create', '--owner', 'ada', '--name', 'x', '--scope', 'tokens:everything'], 1, /^scopes: /],
      [['apikeys', 'create', '--owner', 'ada', '--name', 'x', '--scope', 'tokens:introspect,'], 1, /^scopes: /],
      [['apikeys', 'create', '--owner', 'ada', '--name', 'x', '--scope', ''], 1, /^scopes: /],
      [['apikeys', 'create', '--owner', 'ada', '--name', '', '--scope', 'tokens:introspect'], 1, /^name: /],
      [['apikeys', 'create', '--owner', 'ada', '--name', 'a\u001b[2J', '--scope', 'tokens:introspect'], 1, /^name: /],
      [
        ['apikeys', 'create', '--owner', 'ada', '--name', 'x'.repeat(101), '--scope', 'tokens:introspect'],
        1,
        /^name: /,
      ],
      [
        ['apikeys', 'create', '--owner', 'ada', '--name', 'x', '--scope', 'tokens:introspect', '--days', '0'],
        2,
        /--days/,
      ],
      [
        ['apikeys', 'create', '--owner', 'ada', '--name', 'x', '--scope', 'tokens:introspect', '--days', '1.5'],
        2,
        /--days/,
      ],
      [['apikeys', 'create', '--owner', 'ada', '--name', 'x'], 2, /scope/],
      [['apikeys', 'revoke', '1'], 1, /^API key not found/],
      [['apikeys', 'revoke', 'kw_x'], 2, /number/],
      [['apikeys', 'revoke'], 2, /id/i],
    ]
    for (const [argv, exit, why] of refusals) {
      const { code, out, err } = await run(argv)
      expect([argv, code, out]).toEqual([argv, exit, ''])
      expect(err).toMatch(why)
    }
    expect(await list()).toEqual([])
  })

  test('revoke fails if there is no such key or it is already revoked', async () => {
    await create(['--scope', 'tokens:introspect'])
    expect((await run(['apikeys', 'revoke', '1'])).code).toBe(0)
    const again = await run(['apikeys', 'revoke', '1'])
    expect([again.code, again.err]).toEqual([1, 'API key not found\n'])
  })
})
