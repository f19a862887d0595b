import { expect, setDefaultTimeout, test } from 'bun:test'
import { openUrl, type TestStorage } from '../storage/support.ts'
import { runBinary, serverSettings } from '../support/binary.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'

setDefaultTimeout(60_000)

const EVENTS = 60_000

const count = async ({ rows }: TestStorage, condition: string): Promise<number> =>
  Number((await rows(`SELECT count(*) FROM audit_events WHERE ${condition}`))[0]![0])

describeEachDialect('kill -9 during keyward users delete', (dialect) => {
  test('12.A2 deletes the user, and the clean-up of a server erases what is left', () =>
    withApp({ dialect }, async (app) => {
      const { id } = await app.signUp('ada')
      const outside = await openUrl(app.databaseUrl)
      const numbers =
        dialect.name === 'sqlite'
          ? 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)'
          : 'WITH n(i) AS (SELECT generate_series(1, $1::bigint))'
      const values = `SELECT 0, 'login.failed', ${id}, '192.0.2.7' FROM n`
      await outside.rows(`INSERT INTO audit_events (at, event, user_id, ip) ${numbers} ${values}`, [EVENTS])
      const personal = `user_id = ${id} AND ip IS NOT NULL`
      const kill = new AbortController()
      const env = serverSettings({ databaseUrl: app.databaseUrl })
      const command = runBinary(['users', 'delete', 'ada', '--yes', '--dev'], { env, kill: kill.signal })
      while ((await count(outside, personal)) >= EVENTS) await Bun.sleep(1)
      kill.abort()
      await command
      expect(await outside.rows('SELECT id FROM users')).toEqual([])
      expect(await count(outside, personal)).toBeGreaterThan(0)
      await outside.close()

      const left = async () => (await app.rows.auditEvents.all({ userId: id })).filter(({ ip }) => ip !== null).length
      for (let runs = 0; (await left()) > 0; runs++) {
        expect(runs).toBeLessThan(EVENTS / 10_000)
        await app.process.cleanUp()
      }
      expect(await app.rows.auditEvents.count({ userId: id, event: 'user.deleted' })).toBe(1)
    }))
})
