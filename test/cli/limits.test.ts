import { expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { auditOf, guess, guesses, limited, password, times } from '../limits/support.ts'
import { keyward } from '../support/cli.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'

describeEachDialect('keyward limits clear', (dialect) => {
  test('12.A1 lets a user log in at once after too many wrong passwords, and nobody else', () =>
    withApp(limited({ dialect }), async (app) => {
      const ada = await app.signUp('ada', password)
      await app.signUp('bea', password)
      const peer = '198.51.100.7'
      const elsewhere = '203.0.113.9'
      const right = async (username: string, from: string) =>
        (await guess(app, { username, password, peer: from })).status
      const run = (line: string) => keyward(line.split(' '), { databaseUrl: app.databaseUrl, clock: app.clock })
      for (const username of ['ada', 'bea']) {
        for (let i = 0; i < 10; i++) await guesses(app, 5, { username, peer: `10.1.${i}.1` })
        expect(await guesses(app, 6, { username, peer })).toEqual(times(6, 429))
        await guesses(app, 6, { username, peer: '192.0.2.1' })
      }
      expect([await right('ada', peer), await right('ada', '192.0.2.1')]).toEqual([429, 429])

      const { code, out, err } = await run('limits clear ADA@example.com')
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toBe('Cleared the limits of ada. Running servers follow within 5 seconds.\n')
      await app.clock.advance(5 * SECOND)
      expect([await right('ada', peer), await right('ada', '192.0.2.1')]).toEqual([200, 200])
      expect(await guesses(app, 3, { username: 'ada', peer: elsewhere })).toEqual(times(3, 401))
      expect([await right('bea', peer), await right('bea', elsewhere)]).toEqual([429, 429])
      const cleared = (await auditOf(app)).filter(({ event }) => event === 'limits.cleared')
      expect(cleared).toMatchObject([{ userId: ada.id, ip: null, details: null }])

      const unknown = await run('limits clear nobody')
      expect([unknown.code, unknown.err]).toEqual([1, 'User not found\n'])
      const none = await run('limits')
      expect(none.code).toBe(2)
    }))
})
