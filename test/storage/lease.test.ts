import { afterEach, expect, test } from 'bun:test'
import { SECOND } from '../../src/lib/clock.ts'
import { releaseLease, tryLease } from '../../src/storage/lease.ts'
import type { Store } from '../../src/storage/store.ts'
import { manualClock } from '../support/clock.ts'
import { type DialectDatabase, describeEachDialect } from '../support/dialects.ts'
import { openMigrated, type TestStorage } from './support.ts'

describeEachDialect('a lease', (dialect) => {
  const clock = manualClock()
  let database: DialectDatabase | undefined
  let opened: TestStorage[] = []
  const open = async (): Promise<Process> => {
    database ??= await dialect.databaseUrl()
    const storage = await openMigrated(database.url)
    opened.push(storage)
    return { store: storage.store, clock }
  }
  afterEach(async () => {
    for (const storage of opened) await storage.close()
    opened = []
    await database?.dispose()
    database = undefined
  })

  const takeInParallel = async (all: Process[], who: string) => {
    const names = Array.from({ length: 24 }, (_, i) => `${who} ${i}`)
    const won = await Promise.all(names.map((name, i) => tryLease(all[i % all.length]!, 'tidy', name, 10 * SECOND)))
    return names.filter((_, i) => won[i])
  }

  test('goes to one of 24 parallel requests, and after its expiry to one of 24 again', async () => {
    const [first, second] = [await open(), await open()]
    expect(await takeInParallel([first, second], 'early')).toHaveLength(1)
    await clock.advance(10 * SECOND - 1)
    expect(await takeInParallel([first, second], 'too early')).toHaveLength(0)
    await clock.advance(SECOND)
    expect(await takeInParallel([second, first], 'late')).toHaveLength(1)
  })

  test('is renewed only by its holder', async () => {
    const process = await open()
    expect(await tryLease(process, 'tidy', 'ada', 10 * SECOND)).toBeTrue()
    await clock.advance(9 * SECOND)
    expect(await tryLease(process, 'tidy', 'bob', 10 * SECOND)).toBeFalse()
    expect(await tryLease(process, 'tidy', 'ada', 10 * SECOND)).toBeTrue()
    await clock.advance(9 * SECOND)
    expect(await tryLease(process, 'tidy', 'bob', 10 * SECOND)).toBeFalse()
    await clock.advance(SECOND)
    expect(await tryLease(process, 'tidy', 'bob', 10 * SECOND)).toBeTrue()
  })

  test('is released only by its holder, and each name is separate', async () => {
    const process = await open()
    expect(await tryLease(process, 'tidy', 'ada', 10 * SECOND)).toBeTrue()
    expect(await tryLease(process, 'sweep', 'bob', 10 * SECOND)).toBeTrue()
    await releaseLease(process.store, 'tidy', 'bob')
    expect(await tryLease(process, 'tidy', 'bob', 10 * SECOND)).toBeFalse()
    await releaseLease(process.store, 'tidy', 'ada')
    expect(await tryLease(process, 'tidy', 'bob', 10 * SECOND)).toBeTrue()
  })
})

interface Process {
  store: Store
  clock: ReturnType<typeof manualClock>
}
