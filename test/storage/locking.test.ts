import { afterEach, beforeEach, expect, test } from 'bun:test'
import { and, eq } from 'drizzle-orm'
import { named, queryRows, statements } from '../../src/storage/statements.ts'
import { type DialectDatabase, describeEachDialect, migratedDatabase } from '../support/dialects.ts'
import { openUrl, type TestStorage } from './support.ts'

const prepared = statements(({ t: { leases } }, { locking }) => ({
  lock: locking({ holder: leases.holder }, (q) =>
    q.from(leases).where(and(eq(leases.name, named('name')), eq(leases.holder, named('holder')))),
  ),
}))

describeEachDialect('a statement that locks its rows', (dialect) => {
  let database: DialectDatabase
  let storage: TestStorage

  beforeEach(async () => {
    database = await migratedDatabase(dialect)
    storage = await openUrl(database.url)
    await storage.rows(`INSERT INTO leases (name, holder, expires_at) VALUES ('a job', 'ada', 1)`)
  })
  afterEach(async () => {
    await storage.close()
    await database.dispose()
  })

  const lock = (holder: string) => queryRows(storage.store, prepared(storage.store).lock, { name: 'a job', holder })
  const holders = () => storage.rows('SELECT holder FROM leases')
  /** Returns after another connection waits for a lock, and on SQLite at once: there nobody runs beside a transaction. */
  const untilOtherWaits = async (isOtherDone: () => boolean) => {
    if (dialect.name === 'sqlite') return
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    while (!isOtherDone() && (await storage.rows(waiting)).length === 0);
  }

  /** Runs `first` in a transaction, which stays open until `second` waits for it or is done. */
  async function race<T>(first: () => Promise<T>, second: () => Promise<unknown>): Promise<[T, unknown]> {
    const begun = Promise.withResolvers<void>()
    let isDone = false
    const one = storage.store.transaction(async () => {
      await first()
      begun.resolve()
      await untilOtherWaits(() => isDone)
      return first()
    })
    await begun.promise
    const two = storage.store.transaction(second).finally(() => {
      isDone = true
    })
    return [await one, await two]
  }

  for (const [name, sql] of [
    ['changes', `UPDATE leases SET holder = 'bea'`],
    ['deletes', 'DELETE FROM leases'],
  ] as const)
    test(`keeps another transaction waiting that ${name} one`, async () => {
      const [seen] = await race(
        () => lock('ada'),
        () => storage.rows(sql),
      )
      expect(seen).toEqual([{ holder: 'ada' }])
      expect(await holders()).toEqual(name === 'changes' ? [['bea']] : [])
    })

  test('returns no row that was changed while it waited, so that it no longer matches', async () => {
    const [, seen] = await race(
      () => storage.rows(`UPDATE leases SET holder = 'bea'`),
      () => lock('ada'),
    )
    expect(seen).toEqual([])
  })
})
