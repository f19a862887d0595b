import { expect, test } from 'bun:test'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'

describeEachDialect('keyward sessions end', (dialect) => {
  test('14.3 --all ends the sessions of all users while a server runs, and only these', () =>
    withApp({ dialect }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      const over = await app.signUp('cyd')
      const run = (line: string, confirms?: boolean) =>
        keyward(line.split(' '), { databaseUrl: app.databaseUrl, clock: app.clock, confirms })
      const status = async (token: string) => (await app.request('GET', '/users/me', { token })).status
      const refresh = async (refresh_token: string) =>
        (await app.request('POST', '/token/refresh', { json: { refresh_token } })).status
      const events = async () => (await app.rows.auditEvents.all()).filter(({ event }) => event === 'session.all_ended')
      await app.request('POST', '/logout', { token: over.grant.access_token })

      for (const line of ['sessions end', 'sessions end ada --all --yes', 'sessions end --all'])
        expect([line, (await run(line)).code]).toEqual([line, 2])
      expect(await run('sessions end --all', false)).toEqual({ code: 1, out: '', err: 'No session was ended\n' })
      expect([await status(ada.grant.access_token), await status(bea.grant.access_token), await events()]).toEqual([
        200,
        200,
        [],
      ])

      const { code, out, err } = await run('sessions end --all', true)
      expect([code, err]).toEqual([0, ''])
      expect(out).toStartWith('Sessions of all users that ended: 2\n')
      expect([await status(ada.grant.access_token), await status(bea.grant.access_token)]).toEqual([401, 401])
      expect([await refresh(ada.grant.refresh_token!), await refresh(bea.grant.refresh_token!)]).toEqual([401, 401])
      expect(await events()).toMatchObject([{ userId: null, details: '{"all_users":true}' }])
      expect(await app.rows.sessions.count({ endReason: 'ended_by_admin' })).toBe(2)

      // Nothing is left to end, so nothing is written.
      expect((await run('sessions end --all --yes --json')).out).toBe('{"sessions_ended":0}\n')
      expect(await events()).toHaveLength(1)
    }))

  test('14.3 USER ends the sessions of one user', () =>
    withApp({ dialect }, async (app) => {
      const [ada, bea] = [await app.signUp('ada'), await app.signUp('bea')]
      const run = (line: string) => keyward(line.split(' '), { databaseUrl: app.databaseUrl, clock: app.clock })
      const status = async (token: string) => (await app.request('GET', '/users/me', { token })).status
      expect(await run('sessions end nobody')).toEqual({ code: 1, out: '', err: 'User not found\n' })
      expect((await run('sessions end ADA@example.com')).out).toStartWith('Sessions of ada that ended: 1\n')
      expect([await status(ada.grant.access_token), await status(bea.grant.access_token)]).toEqual([401, 200])
      expect((await run('sessions end ada --json')).out).toBe('{"sessions_ended":0}\n')
      const events = (await app.rows.auditEvents.all()).filter(({ event }) => event === 'session.all_ended')
      expect(events[0]).toMatchObject({ userId: ada.id, details: '{"reason":"ended_by_admin"}' })
    }))

  test('14.3 --all ends more sessions than one transaction takes', () =>
    withApp({ dialect }, async (app) => {
      await app.signUp('ada')
      const [row] = await app.rows.sessions.all()
      for (let at = 0; at < 1_000; at++) await app.rows.sessions.add({ ...row!, id: `copy-${at}` })
      const { out } = await keyward(['sessions', 'end', '--all', '--yes', '--json'], {
        databaseUrl: app.databaseUrl,
        clock: app.clock,
      })
      expect(out).toBe('{"sessions_ended":1001}\n')
      expect(await app.rows.sessions.count({ endedAt: null })).toBe(0)
    }))
})
