import { expect, test } from 'bun:test'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { type CliResult, keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { headerOf, logIn, publishedKids, statusOf } from './support.ts'

describeEachDialect('keyward signing-keys', (dialect) => {
  const apps = appsPerTest()

  /** Runs a command while the server runs, at the same time of day. */
  const keys = ({ databaseUrl, clock }: TestApp, ...argv: string[]): Promise<CliResult> =>
    keyward(['signing-keys', ...argv], { databaseUrl, clock })
  const states = async (app: TestApp) => {
    const { out } = await keys(app, 'list')
    return Object.fromEntries(
      out
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.split(/ {2,}/))
        .map(([kid, , state]) => [kid, state]),
    )
  }

  test('list shows the state of each key and when it ends, fits 80 columns, and shows nothing private', async () => {
    const app = await apps.open({ dialect })
    const [active, next] = await publishedKids(app)
    const { code, out, err } = await keys(app, 'list')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n')[0]).toMatch(/^KEY +ALG +STATE +CHANGES$/)
    expect(out.trimEnd().split('\n').slice(1).sort()).toEqual(
      [`${active}  ES256  active  2026-04-01 00:00Z`, `${next}  ES256  next    2026-01-01 00:11Z`].sort(),
    )
    await app.clock.advance(15 * MINUTE)
    expect((await keys(app, 'rotate')).code).toBe(0)
    const { out: rotated } = await keys(app, 'list')
    // Until the last token of the key has expired: in 32 minutes.
    expect(rotated).toContain(`${active}  ES256  retired  2026-01-01 00:47Z\n`)
    expect(Math.max(...rotated.split('\n').map((line) => line.length))).toBeLessThan(80)
  })

  test('rotate makes the next key sign, and the running server follows without a restart', async () => {
    const app = await apps.open({ dialect, jobs: true })
    const { grant } = await app.signUp()
    const [first, second] = await publishedKids(app)
    await app.passTime(15 * MINUTE)
    const { code, out } = await keys(app, 'rotate')
    expect(code).toBe(0)
    expect(out).toContain(
      `Active:   ${second}\nRetired:  ${first}, its tokens are valid until 2026-01-01T00:47:00.000Z`,
    )
    expect(await states(app)).toMatchObject({ [first!]: 'retired', [second!]: 'active' })

    await app.passTime(30 * SECOND)
    const token = await logIn(app)
    expect(headerOf(token).kid).toBe(second!)
    expect([await statusOf(app, token), await statusOf(app, grant.access_token)]).toEqual([200, 200])
  })

  test('rotate refuses a next key that is too new, and names the alternative', async () => {
    const app = await apps.open({ dialect })
    const before = await states(app)
    expect(await keys(app, 'rotate')).toEqual({
      code: 1,
      out: '',
      err: 'Services may have cached the key set without the next key until 2026-01-01T00:11:00.000Z: rotate then, or at once with --now\n',
    })
    expect(await states(app)).toEqual(before)
    expect((await keys(app, 'rotate', '--now')).code).toBe(0)
    expect(Object.values(await states(app)).sort()).toEqual(['active', 'next', 'retired'])
  })

  test('revoke ends the tokens of a key in the running server within 30 seconds', async () => {
    const app = await apps.open({ dialect, jobs: true })
    const { grant } = await app.signUp()
    const [first, second] = await publishedKids(app)
    expect(await statusOf(app, grant.access_token)).toBe(200)
    const { code, out } = await keys(app, 'revoke', first!)
    expect([code, out]).toEqual([0, expect.stringContaining(`Revoked:  ${first}\nActive:   ${second}\n`)])
    await app.passTime(30 * SECOND)
    expect(await statusOf(app, grant.access_token)).toBe(401)
    expect(await publishedKids(app)).not.toContain(first!)
    expect(await statusOf(app, await logIn(app))).toBe(200)
    expect((await keys(app, 'revoke', first!)).out).toStartWith(`Already revoked: ${first}\n`)
  })

  test('revoke reports an unknown key, and requires one', async () => {
    const app = await apps.open({ dialect })
    expect(await keys(app, 'revoke', 'nobody')).toEqual({ code: 1, out: '', err: 'Signing key not found\n' })
    expect((await keys(app, 'revoke')).code).toBe(2)
  })

  test('a command with other settings than the server changes no key', async () => {
    const app = await apps.open({ dialect })
    const before = await states(app)
    const env = { JWT_ALG: 'HS256', JWT_SECRET: '5c1e0a7f4d92b86e3301f7ca94d8526be8f17d03c65a94f2b17e80d36a29c4f5' }
    for (const argv of [
      ['keys', 'list'],
      ['users', 'list'],
      ['migrate', 'up'],
    ])
      expect((await keyward(argv, { databaseUrl: app.databaseUrl, env })).code).toBe(0)
    expect(await states(app)).toEqual(before)
  })
})
