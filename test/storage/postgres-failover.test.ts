import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { manualClock } from '../support/clock.ts'
import { type Network, openNetwork } from '../support/network.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { openWithThing, refusalOf, type TestStorage } from './support.ts'

setDefaultTimeout(60_000)

const clock = manualClock()
let servers: [PostgresServer, PostgresServer]
let newPrimary: TestStorage
let network: Network
let storage: TestStorage
let oldUrl: string

beforeAll(async () => {
  servers = await Promise.all([startPostgres(), startPostgres()])
})
beforeEach(async () => {
  // Both servers number their databases alike, so the name is the same on both, as after a failover.
  const [first, second] = await Promise.all(servers.map((server) => server.createDatabase()))
  oldUrl = first!.url
  newPrimary = await openWithThing(second!.url, { clock })
  network = openNetwork(servers[0].port)
  storage = await openWithThing(oldUrl.replace(`:${servers[0].port}/`, `:${network.port}/`), { clock })
})
afterEach(async () => {
  await asOwner("ALTER SYSTEM SET default_transaction_read_only = 'off'", 'SELECT pg_reload_conf()')
  await storage.close()
  await newPrimary.close()
  network.close()
})
afterAll(() => {
  for (const server of servers) server.signal('SIGKILL')
})

async function asOwner(...statements: string[]) {
  const sql = new Bun.SQL(oldUrl.replace('//keyward:', '//postgres:'), { max: 1 })
  for (const statement of statements) await sql.unsafe(statement)
  await sql.close()
}

const add = (id: number) => storage.rows('INSERT INTO thing (id) VALUES ($1)', [id])
const everybody = (from: number) =>
  Promise.all(
    [0, 1, 2, 3, 4, 5].map((index) =>
      refusalOf(index % 2 ? storage.store.transaction(() => add(from + index)) : add(from + index)),
    ),
  )

/** Makes the old server read-only, and returns when a write was refused for it. */
async function demote() {
  await asOwner("ALTER SYSTEM SET default_transaction_read_only = 'on'", 'SELECT pg_reload_conf()')
  // The server process of each connection reads the new setting a moment later.
  for (let id = 1_000; ; id++) {
    const refusal = await refusalOf(add(id))
    if (refusal !== 'resolved') return expect(refusal).toBe('database_unavailable')
  }
}

test('12.C4 a primary that became read-only is left for the new primary, without a restart', async () => {
  expect(await everybody(101)).toEqual(Array(6).fill('resolved'))
  network.turnTo(servers[1].port)
  await demote()
  expect(await everybody(201)).toEqual(Array(6).fill('resolved'))
  const rows = await newPrimary.rows('SELECT id FROM thing ORDER BY id')
  expect(rows.map(([id]) => Number(id))).toEqual([201, 202, 203, 204, 205, 206])
})

test('12.C4 the new primary is reached within 15 s even if the network leads to the old one for a while', async () => {
  expect(await everybody(101)).toEqual(Array(6).fill('resolved'))
  await demote()
  expect(await everybody(201)).toEqual(Array(6).fill('database_unavailable'))
  network.turnTo(servers[1].port)
  await clock.advance(7_000)
  await refusalOf(add(301))
  await clock.advance(7_000)
  expect(await everybody(401)).toEqual(Array(6).fill('resolved'))
})

test('12.C4 a server that stays read-only is asked for new connections once in 5 s, and answers reads meanwhile', async () => {
  expect(await everybody(101)).toEqual(Array(6).fill('resolved'))
  const begun = Promise.withResolvers<void>()
  const demoted = Promise.withResolvers<void>()
  const running = refusalOf(
    storage.store.transaction(async () => {
      await storage.rows('SELECT id FROM thing')
      begun.resolve()
      await demoted.promise
      await storage.rows('SELECT id FROM thing')
    }),
  )
  await begun.promise
  await demote()
  const reads = Promise.all([1, 2, 3, 4].map(() => refusalOf(storage.rows('SELECT id FROM thing'))))
  demoted.resolve()
  expect(await running).toBe('resolved')
  expect(await reads).toEqual(Array(4).fill('resolved'))
  await everybody(201)
  const opened = network.opened()
  for (let from = 301; from < 800; from += 100)
    expect(await everybody(from)).toEqual(Array(6).fill('database_unavailable'))
  expect(network.opened()).toBe(opened)
  expect(await refusalOf(storage.rows('SELECT id FROM thing'))).toBe('resolved')
})
