import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { createReads } from '../../src/storage/postgres-reads.ts'
import { databaseUnavailable } from '../../src/storage/transaction.ts'
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

const read = async (text: string, params: unknown[]) => (await storage.driver.tryRead(text, params))!
const things = (count: number) =>
  storage.rows(`INSERT INTO thing SELECT n, 'thing ' || n FROM generate_series(1, cast($1 as int)) n`, [count])
const upTo = `SELECT name FROM thing WHERE id <= $1 ORDER BY id DESC`
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

test('in one turn each get their own rows in order, none or many, and share a statement', async () => {
  await things(100)
  const answers = await Promise.all(numbers(101).map((id) => read(upTo, [id])))
  for (const [id, rows] of answers.entries())
    expect(rows.flat()).toEqual(
      numbers(id)
        .map((index) => `thing ${index + 1}`)
        .reverse(),
    )
  const begun = await Promise.all(numbers(100).map((n) => read('SELECT now(), cast($1 as bigint)', [n])))
  expect(begun.map(([row]) => Number(row![1]))).toEqual(numbers(100))
  expect(new Set(begun.map(([row]) => Number(row![0]))).size).toBeLessThanOrEqual(4)
})

test('of several statements, with values of every kind, get their own answers', async () => {
  const texts = ['', 'NULL', '{a,"b"}', `'"\\`, 'İß日本語 😀 \n\t', 'ä'.repeat(10_000)]
  const rows = texts.flatMap((text, index) =>
    [0, -1, 2 ** 31, Number.MAX_SAFE_INTEGER].map((number) => [text, number, index % 2 === 0] as const),
  )
  const forward = 'SELECT cast($1 as text), cast($2 as bigint), cast($3 as boolean), $1 = $1'
  const backward = 'SELECT cast($3 as boolean), cast($2 as bigint), cast($1 as text)'
  const answers = await Promise.all(rows.flatMap((row) => [read(forward, [...row]), read(backward, [...row])]))
  const expected = rows.flatMap(([text, number, bool]) => [
    [[text, String(number), bool, true]],
    [[bool, String(number), text]],
  ])
  expect(answers.map(([row]) => [row!.map((value) => (typeof value === 'number' ? String(value) : value))])).toEqual(
    expected,
  )
})

test('fail individually if their own parameters are wrong', async () => {
  await things(6)
  const outcomes = await Promise.all(
    [1, 0, 3, 0, 6].map((divisor) =>
      read('SELECT name FROM thing WHERE id = 6 / cast($1 as bigint)', [divisor]).catch(
        (error: { errno?: string }) => error.errno,
      ),
    ),
  )
  expect(outcomes).toEqual([[['thing 6']], '22012', [['thing 2']], '22012', [['thing 1']]])
})

test('see what was committed before, and inside a transaction what it wrote', async () => {
  await things(1)
  const name = async () => (await read('SELECT name FROM thing WHERE id = $1', [1]))[0]![0]
  for (const round of numbers(20)) {
    const before = name()
    await storage.rows('UPDATE thing SET name = $1 WHERE id = 1', [`round ${round}`])
    expect(await Promise.all([name(), name()])).toEqual([`round ${round}`, `round ${round}`])
    await before
  }
  await storage.store.transaction(async () => {
    expect(storage.driver.tryRead('SELECT 1', [])).toBeUndefined()
  })
})

test('run again when the server lost their prepared statement', async () => {
  await things(100)
  const single = await openUrl(database.url, { poolSize: 1 })
  const all = () => Promise.all(numbers(40).map((id) => single.driver.tryRead(upTo, [id + 1])!))
  try {
    await all()
    const answers = await all()
    // As behind a pooler that gives the connection another session.
    await single.rows('DEALLOCATE ALL')
    expect(await all()).toEqual(answers)
  } finally {
    await single.close()
  }
})

test('fail all if no server answers, and are not sent again', async () => {
  let sent = 0
  const away = createReads(async () => {
    sent++
    throw databaseUnavailable()
  }, new Bun.SQL(database.url).array)
  const outcomes = await Promise.all(numbers(64).map((id) => refusalOf(away(upTo, [id]))))
  expect(outcomes).toEqual(Array(64).fill('database_unavailable'))
  expect(sent).toBe(2)
})

test.each([1, 20_000])(
  'are looked up by key among %d rows, with the same plan for any number of keys',
  async (count) => {
    await things(count)
    if (count > 1) await storage.rows('ANALYZE thing')
    const sql = new Bun.SQL(database.url, { max: 1 })
    const plans: string[] = []
    const explained = createReads(async (text, params) => {
      const rows: string[][] = await sql.unsafe(`EXPLAIN ${text}`, params).values()
      plans.push(rows.flat().join('\n'))
      return []
    }, sql.array)
    for (const alike of [2, 7, 64])
      await Promise.all(numbers(alike).map((id) => explained('SELECT name FROM thing WHERE id = $1', [id])))
    expect(plans).toHaveLength(4)
    const [plan] = plans
    expect(plan).toMatch(/^Nested Loop/)
    expect(plan).toContain('Index Scan using thing_pkey')
    expect(new Set(plans).size).toBe(1)
    await sql.close()
  },
)
