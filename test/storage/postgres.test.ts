import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { systemClock } from '../../src/lib/clock.ts'
import { embeddedMigrations, migrate } from '../../src/storage/migrate.ts'
import { manualClock } from '../support/clock.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { openUrl, openWithThing, refusalOf, type TestStorage } from './support.ts'

setDefaultTimeout(60_000)

let database: TestDatabase
let storage: TestStorage

beforeEach(async () => {
  database = await createDatabase()
  storage = await openWithThing(database.url)
})
afterEach(async () => {
  await storage.close()
  await database.drop()
})

const set = (id: number, name: string) => storage.rows('UPDATE thing SET name = $1 WHERE id = $2', [name, id])
const names = async () => (await storage.rows('SELECT name FROM thing ORDER BY id')).flat()

test('transactions that block each other both complete', async () => {
  await storage.rows(`INSERT INTO thing VALUES (1, 'a'), (2, 'b')`)
  const bothHold = Promise.withResolvers<void>()
  let holding = 0
  let runs = 0
  const swap = (first: number, second: number) =>
    storage.store.transaction(async () => {
      runs++
      await set(first, `${first} by ${first}`)
      if (++holding === 2) bothHold.resolve()
      await bothHold.promise
      await set(second, `${second} by ${first}`)
    })
  await Promise.all([swap(1, 2), swap(2, 1)])
  expect(runs).toBe(3)
  const [one, two] = (await names()) as [string, string]
  expect(one.slice(-1)).toBe(two.slice(-1))
})

test('a serialization failure is retried up to 8 times, and work for after the commit runs once', async () => {
  await storage.rows(`INSERT INTO thing VALUES (1, '0')`)
  let runs = 0
  let ran = 0
  await storage.store.transaction(async () => {
    runs++
    storage.store.afterCommit(() => ran++)
    await storage.rows('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
    await storage.rows('SELECT name FROM thing')
    if (runs < 3) {
      const meanwhile = await openUrl(database.url)
      await meanwhile.rows(`UPDATE thing SET name = 'meanwhile' WHERE id = 1`)
      await meanwhile.close()
    }
    await set(1, 'mine')
  })
  expect([runs, ran]).toEqual([3, 1])
  expect(await names()).toEqual(['mine'])

  let lost = 0
  const losing = storage.store.transaction(async () => {
    lost++
    await storage.rows(`DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$`)
  })
  expect(await refusalOf(losing)).toBe('database_busy')
  expect(lost).toBe(8)
})

test('a single statement is retried too', async () => {
  await storage.rows('CREATE SEQUENCE attempts')
  await storage.rows(`CREATE FUNCTION lose_twice() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('attempts') < 3 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END IF;
    RETURN 'won';
  END $$`)
  expect(await storage.rows('SELECT lose_twice()')).toEqual([['won']])
})

test.each([
  ['53100', 'database_unavailable'],
  ['25006', 'database_unavailable'],
  ['57P03', 'database_unavailable'],
  ['28000', 'database_unavailable'],
  ['55P03', 'database_busy'],
  ['57014', 'database_busy'],
])('SQLSTATE %s is a refusal: %s', async (state, code) => {
  const raise = `DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${state}'; END $$`
  expect(await refusalOf(storage.rows(raise))).toBe(code)
  expect(await refusalOf(storage.store.transaction(() => storage.rows(raise)))).toBe(code)
})

test('the server ends statements that hang', async () => {
  const setting = async (name: string) => (await storage.rows(`SELECT current_setting('${name}')`))[0]![0]
  expect([await setting('statement_timeout'), await setting('idle_in_transaction_session_timeout')]).toEqual([
    '10s',
    '10s',
  ])
})

test('a transaction that waits for something else returns its connection while others go on', async () => {
  const clock = manualClock()
  // Two for transactions, and one for reads.
  const pair = await openUrl(database.url, { clock, poolSize: 3 })
  const never = Promise.withResolvers<void>()
  const hung = refusalOf(
    pair.store.transaction(async () => {
      await pair.rows('INSERT INTO thing (id) VALUES (1)')
      await never.promise
    }),
  )
  for (let seconds = 0; seconds < 13; seconds++) {
    await clock.advance(1_000)
    expect(await pair.rows('SELECT 1')).toEqual([[1]])
  }
  expect(await hung).toBe('database_unavailable')
  const bothRun = Promise.withResolvers<void>()
  let running = 0
  const together = () =>
    pair.store.transaction(async () => {
      await pair.rows('SELECT 1')
      if (++running === 2) bothRun.resolve()
      await bothRun.promise
    })
  await Promise.all([together(), together()])
  expect(await names()).toEqual([])
  await pair.close()
})

test('a role with its own schema gets its tables there', async () => {
  await storage.rows('DROP TABLE thing')
  await storage.rows('CREATE SCHEMA AUTHORIZATION CURRENT_USER')
  const own = await openUrl(database.url)
  await migrate(own.driver, embeddedMigrations('postgresql'), systemClock)
  expect(await own.rows(`SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('users', 'sessions')`)).toEqual([
    ['keyward'],
  ])
  await own.close()
  storage = await openWithThing(database.url)
})

test('transactions beyond the number of connections wait for their turn and are counted', async () => {
  const few = await openUrl(database.url, { poolSize: 2 })
  await Promise.all(
    Array.from({ length: 24 }, (_, id) =>
      few.store.transaction(async () => {
        await few.rows('INSERT INTO thing VALUES ($1, $2)', [id, String(id)])
      }),
    ),
  )
  expect(few.store.stats()).toMatchObject({ waiting: 0, waitedTotal: 24 })
  expect(few.store.stats().waitedMsTotal).toBeGreaterThan(0)
  expect(await names()).toHaveLength(24)
  await few.close()
})
