import { beforeAll, expect, test } from 'bun:test'
import { auditEvents } from '../../src/features/audit/events.ts'
import { DAY } from '../../src/lib/clock.ts'
import { guess, limited, password } from '../limits/support.ts'
import type { SignedUp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appPerSuite } from '../support/hooks.ts'

describeEachDialect('keyward audit list', (dialect) => {
  const app = appPerSuite(limited({ dialect }))
  let ada: SignedUp
  let bea: SignedUp
  beforeAll(async () => {
    ada = await app.signUp('ada', password)
    await app.clock.advance(3 * DAY)
    bea = await app.signUp('bea', password)
    await guess(app, { username: 'ada', peer: '198.51.100.9' })
    await guess(app, { username: 'nobody at all', peer: '198.51.100.9' })
    await app.clock.advance(DAY)
  })

  const list = (...argv: string[]) =>
    keyward(['audit', 'list', ...argv], { databaseUrl: app.databaseUrl, clock: app.clock })
  const json = async (...argv: string[]) => {
    const { code, out, err } = await list('--json', ...argv)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    return out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  const eventsOf = async (...argv: string[]) => (await json(...argv)).map(({ event }) => event)

  test('lists events, newest first', async () => {
    const { code, out } = await list()
    expect(code).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toBe('TIME                  EVENT             USER  BY  ADDRESS       DETAILS')
    expect(lines[2]).toBe('2026-01-04 00:00:00Z  login.failed         1   -  198.51.100.9  -')
    expect(lines.at(-1)).toContain('key.created')
    expect(out).not.toContain('nobody')
    const [first] = await json('--limit', '1')
    expect(first).toEqual({
      id: expect.any(Number),
      at: '2026-01-04T00:00:00.000Z',
      event: 'login.failed',
      user_id: null,
      actor_id: null,
      session_id: null,
      ip: '198.51.100.9',
      details: null,
    })
    const ids = (await json()).map(({ id }) => id as number)
    expect(ids).toEqual(ids.toSorted((a, b) => b - a))
  })

  test('--user accepts a name in any case, an address or an id', async () => {
    const own = ['login.failed', 'login.new_device', 'login.succeeded', 'user.registered']
    for (const user of ['ada', 'ADA', 'Ada@Example.com', String(ada.id)])
      expect(await eventsOf('--user', user)).toEqual(own)
    expect(await eventsOf('--user', 'bea')).toEqual(own.slice(1))
    expect(await eventsOf('--user', '999')).toEqual([])
    expect(await list('--user', 'eve')).toMatchObject({ code: 1, out: '', err: 'User not found\n' })
  })

  test('--event, --days and --limit filter, alone and together', async () => {
    expect(await eventsOf('--event', 'user.registered')).toEqual(['user.registered', 'user.registered'])
    expect(await json('--event', 'user.registered', '--days', '2')).toMatchObject([{ user_id: bea.id }])
    expect(await json('--event', 'login.failed', '--user', 'ada', '--limit', '5')).toMatchObject([{ user_id: ada.id }])
    expect(await eventsOf('--limit', '2')).toHaveLength(2)
    expect(await json('--event', 'login.succeeded', '--limit', '1')).toMatchObject([{ details: { amr: 'pwd' } }])
  })

  test('refuses an unknown event with the list of events, and wrong numbers', async () => {
    const wrong = await list('--event', 'login.fialed')
    expect(wrong).toMatchObject({ code: 2, out: '' })
    for (const event of auditEvents) expect(wrong.err).toContain(event)
    for (const argv of [
      ['--days', '0'],
      ['--days', '-1'],
      ['--days', '1.5'],
      ['--limit', 'all'],
      ['--limit', '0'],
      ['--limit', '99999999'],
    ])
      expect(await list(...argv)).toMatchObject({ code: 2, out: '' })
  })
})
