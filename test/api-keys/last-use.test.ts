import { expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { introspectionKey, turns } from '../sessions/support.ts'
import { lockFile, openUrl } from '../storage/support.ts'
import type { TestApp } from '../support/app.ts'
import { type Dialect, describeEachDialect, sqliteFile } from '../support/dialects.ts'
import { withApp } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'

const introspect = (app: TestApp, token: string) => app.request('POST', '/introspect', { token, form: { token: 'x' } })

/** Runs `work` while another client holds what a write to `api_keys` needs. */
async function whileLocked(dialect: Dialect, url: string, work: () => Promise<void>): Promise<void> {
  if (dialect.name === 'sqlite') {
    const lock = await lockFile(sqliteFile(url))
    await work()
    await lock.release()
    return
  }
  const outside = await openUrl(url)
  await outside.store.transaction(async () => {
    await outside.rows('LOCK TABLE api_keys IN SHARE MODE')
    await work()
  })
  await outside.close()
}

describeEachDialect('the last use of an API key', (dialect) => {
  test('12.A7 is not awaited: a key introspects while the database takes no writes', () =>
    withApp({ dialect }, async (app) => {
      const key = await introspectionKey(app)
      const lastUse = async () => (await app.rows.apiKeys.one()).lastUsedAt
      const at = app.clock.now()
      await whileLocked(dialect, app.databaseUrl, async () => {
        for (let i = 0; i < 5; i++) expect((await introspect(app, key)).status).toBe(200)
        expect(await lastUse()).toBeNull()
      })
      while ((await lastUse()) === null) await turns(1)
      expect(await lastUse()).toBe(at)
    }))

  test('12.A7 is tried once a minute and process while the disk is full, and refuses nothing', async () => {
    let tried = 0
    const store = watchStatements((sql) => {
      if (!/^update "api_keys"/.test(sql)) return
      tried++
      throw new KeywardError('database_unavailable')
    })
    await withApp({ dialect, replace: { store } }, async (app) => {
      const key = await introspectionKey(app)
      const burst = async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => introspect(app, key)))
        expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
      }
      await burst()
      expect(tried).toBe(1)
      await app.clock.advance(MINUTE - SECOND)
      await burst()
      expect(tried).toBe(1)
      await app.clock.advance(SECOND)
      await burst()
      expect(tried).toBe(2)
      expect(app.logs.filter((line) => line.includes('write_aside_failed'))).toEqual([])
    })
  })

  test('12.A7 that fails for another reason than the database’s state is logged', async () => {
    const store = watchStatements((sql) => {
      if (/^update "api_keys"/.test(sql)) throw new Error('a defect')
    })
    await withApp({ dialect, replace: { store } }, async (app) => {
      expect((await introspect(app, await introspectionKey(app))).status).toBe(200)
      await turns(2)
      expect(app.logs.filter((line) => line.includes('write_aside_failed'))).toHaveLength(1)
    })
  })
})
