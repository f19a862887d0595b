import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { manualClock } from '../support/clock.ts'
import { openNetwork } from '../support/network.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { openUrl, openWithThing, refusalOf, type TestStorage, turns } from './support.ts'

setDefaultTimeout(60_000)

const clock = manualClock()
let server: PostgresServer
let storage: TestStorage

beforeAll(async () => {
  server = await startPostgres({ durable: true })
})
beforeEach(async () => {
  storage = await openWithThing((await server.createDatabase()).url, { clock })
})
afterEach(() => storage.close())
afterAll(() => server.signal('SIGKILL'))

const add = (id: number) => storage.rows('INSERT INTO thing (id) VALUES ($1)', [id])
const ids = async () => (await storage.rows('SELECT id FROM thing ORDER BY id')).map(([id]) => Number(id))
const inTransaction = (id: number) => storage.store.transaction(() => add(id))

/** The server processes of the pool's connections. */
async function backends(): Promise<number[]> {
  const rows = await storage.rows(`SELECT pid FROM pg_stat_activity WHERE application_name = 'keyward'`)
  return rows.map(([pid]) => Number(pid))
}

/** More than the number of statements that are sent together. */
const manyReads = () =>
  Promise.all(
    Array.from({ length: 40 }, (_, id) =>
      refusalOf(Promise.resolve(storage.driver.tryRead('SELECT id FROM thing WHERE id = $1', [id]))),
    ),
  )

/** Sends so many requests that every connection is in use. */
const everybody = (from: number) =>
  Promise.all(Array.from({ length: 6 }, (_, index) => refusalOf((index % 2 ? inTransaction : add)(from + index))))

test('T6: a crash refuses running and new requests, and everything recovers after the restart of PostgreSQL', async () => {
  await add(1)
  const begun = Promise.withResolvers<void>()
  const crashed = Promise.withResolvers<void>()
  const running = refusalOf(
    storage.store.transaction(async () => {
      await add(2)
      begun.resolve()
      await crashed.promise
      await add(3)
    }),
  )
  await begun.promise
  await server.crash()
  crashed.resolve()
  expect(await running).toBe('database_unavailable')
  expect(await everybody(101)).toEqual(Array(6).fill('database_unavailable'))
  expect(await manyReads()).toEqual(Array(40).fill('database_unavailable'))
  await server.restart()
  expect(await everybody(101)).toEqual(Array(6).fill('resolved'))
  expect(await ids()).toEqual([1, 101, 102, 103, 104, 105, 106])
})

test('an orderly restart is not noticed by later requests', async () => {
  expect(await everybody(101)).toEqual(Array(6).fill('resolved'))
  server.signal('SIGINT')
  await server.exited()
  await server.restart()
  expect(await refusalOf(add(1))).toBe('resolved')
  expect(await refusalOf(inTransaction(2))).toBe('resolved')
})

test('T6: connections that the server closes are replaced', async () => {
  const victims = await backends()
  const killer = await openUrl((await server.createDatabase()).url)
  await killer.rows('SELECT pg_terminate_backend(pid, 10000) FROM unnest($1::int[]) pid', [`{${victims}}`])
  await killer.close()
  await turns()
  expect(await refusalOf(add(1))).toBe('resolved')
  expect((await backends()).some((pid) => victims.includes(pid))).toBe(false)
})

test('T6: a server that hangs is given up in time, and everything recovers when it continues', async () => {
  expect(await everybody(101)).toEqual(Array(6).fill('resolved'))
  const stopped = await backends()
  for (const pid of stopped) process.kill(pid, 'SIGSTOP')
  server.signal('SIGSTOP')
  const asked = everybody(201)
  const read = manyReads()
  await turns()
  await clock.advance(12_000)
  expect(await asked).toEqual(Array(6).fill('database_unavailable'))
  expect(await read).toEqual(Array(40).fill('database_unavailable'))
  // New connections are requested, which nobody accepts yet.
  const next = refusalOf(add(1))
  await clock.advance(5_000)
  server.signal('SIGCONT')
  for (const pid of stopped) process.kill(pid, 'SIGCONT')
  expect(await next).toBe('resolved')
  expect(await refusalOf(inTransaction(2))).toBe('resolved')
  expect(await manyReads()).toEqual(Array(40).fill('resolved'))
  expect((await ids()).filter((id) => id < 200)).toEqual([1, 2, 101, 102, 103, 104, 105, 106])
})

test('a single connection that hangs affects only its own statement', async () => {
  await everybody(101)
  const pid = Promise.withResolvers<number>()
  const stuck = refusalOf(
    storage.store.transaction(async () => {
      pid.resolve(Number((await storage.rows('SELECT pg_backend_pid()'))[0]![0]))
      await new Promise((resolve) => setImmediate(resolve))
      await add(1)
    }),
  )
  process.kill(await pid.promise, 'SIGSTOP')
  await clock.advance(6_000)
  expect(await everybody(201)).toEqual(Array(6).fill('resolved'))
  await clock.advance(6_000)
  expect(await stuck).toBe('database_unavailable')
  expect(await refusalOf(add(2))).toBe('resolved')
  process.kill(await pid.promise, 'SIGCONT')
  expect(await refusalOf(inTransaction(3))).toBe('resolved')
  expect((await ids()).filter((id) => id < 100)).toEqual([2, 3])
})

test('connections that fall silent forever, as in a network failover, are replaced', async () => {
  const { url } = await server.createDatabase()
  const network = openNetwork(server.port)
  const far = await openWithThing(url.replace(`:${server.port}/`, `:${network.port}/`), { clock })
  const addThroughProxy = (id: number) => far.rows('INSERT INTO thing (id) VALUES ($1)', [id])
  await Promise.all([1, 2, 3, 4, 5, 6].map((id) => far.store.transaction(() => addThroughProxy(id))))
  network.silence()
  const asked = [refusalOf(addThroughProxy(7)), refusalOf(far.store.transaction(() => addThroughProxy(8)))]
  await clock.advance(12_000)
  expect(await Promise.all(asked)).toEqual(Array(2).fill('database_unavailable'))
  const after = [9, 10, 11, 12, 13, 14].map((id) =>
    refusalOf(id % 2 ? addThroughProxy(id) : far.store.transaction(() => addThroughProxy(id))),
  )
  expect(await Promise.all(after)).toEqual(Array(6).fill('resolved'))
  await far.close()
  network.close()
})

test('T6: a server that is down is reported at once', async () => {
  const nowhere = await openUrl('postgresql://keyward:secret@127.0.0.1:1/none', { clock })
  expect(await refusalOf(nowhere.rows('SELECT 1'))).toBe('database_unavailable')
  expect(await refusalOf(nowhere.store.transaction(() => nowhere.rows('SELECT 1')))).toBe('database_unavailable')
  await nowhere.close()
})
