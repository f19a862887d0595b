import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { createTestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { startPgBouncer } from '../support/pgbouncer.ts'
import { createDatabase, sharedPostgres, type TestDatabase } from '../support/postgres.ts'
import { openUrl, refusalOf } from './support.ts'

setDefaultTimeout(60_000)

const IGNORED = 'ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout'

let database: TestDatabase
const ends: (() => Promise<void>)[] = []
beforeEach(async () => {
  database = await createDatabase()
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function pooled(...settings: string[]): Promise<string> {
  const pooler = await startPgBouncer(database.url, settings)
  ends.push(() => pooler.stop())
  return pooler.databaseUrl
}

test.each([1, 2, 20])('12.C4 works behind PgBouncer in transaction mode, with %i sessions', async (size) => {
  const databaseUrl = await pooled(IGNORED, `default_pool_size = ${size}`)
  const apps = [await createTestApp({ databaseUrl }), await createTestApp({ databaseUrl })]
  for (const app of apps) ends.push(() => app.close())
  const names = Array.from({ length: 12 }, (_, index) => `user${index}`)
  const password = 'correct horse battery staple'
  const registered = await Promise.all(
    names.map((username, index) =>
      apps[index % 2]!.request('POST', '/register', {
        json: { username, email: `${username}@example.com`, password },
      }),
    ),
  )
  expect(registered.map(({ status }) => status)).toEqual(Array(12).fill(201))
  const loggedIn = await Promise.all(
    names.map((username, index) => apps[(index + 1) % 2]!.request('POST', '/token', { form: { username, password } })),
  )
  expect(loggedIn.map(({ status }) => status)).toEqual(Array(12).fill(200))
})

test('12.C4 a pooler that refuses the time limits is named at the start, with the setting that it needs', async () => {
  const { code, err } = await keyward(['migrate', 'up'], { databaseUrl: await pooled() })
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(
      /pooler.*ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout \(08P01\)/,
    ),
  ])
})

test('12.C4 prepared statements that another client made are no fault: the statement runs again without them', async () => {
  const url = await pooled(IGNORED, 'default_pool_size = 1')
  const clients = [await openUrl(url), await openUrl(url)]
  for (const client of clients) ends.push(() => client.close())
  for (let round = 0; round < 10; round++)
    for (const { rows } of clients)
      expect(['resolved', 'database_unavailable']).toContain(await refusalOf(rows('SELECT $1::int', [round])))
  for (const { rows } of clients) expect(await rows('SELECT $1::int', [7])).toEqual([[7]])
})

test('12.C4 a database that is not in UTF-8 is refused at the start', async () => {
  const { port } = await sharedPostgres()
  const admin = new Bun.SQL(database.url.replace('//keyward:', '//postgres:'), { max: 1 })
  const name = `latin_${port}`
  await admin.unsafe(
    `CREATE DATABASE ${name} OWNER keyward ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`,
  )
  await admin.close()
  const databaseUrl = database.url.replace(/\/[^/]*$/, `/${name}`)
  const { code, err } = await keyward(['migrate', 'up'], { databaseUrl })
  expect([code, err]).toEqual([1, expect.stringContaining(`${name} has the encoding LATIN1`)])
})

test.each([
  ['a host without an address', (url: string) => url.replace('127.0.0.1', 'no-such-host.invalid'), /has no address/],
  ['an unknown parameter', (url: string) => `${url}?schema=public`, /does not know a parameter.*\(42704\)/],
  ['a schema that does not exist', (url: string) => `${url}?search_path=nowhere`, /no schema.*\(3F000\)/],
  ['a read-only server', (url: string) => `${url}?default_transaction_read_only=on`, /takes no writes.*\(25006\)/],
])('12.C4 the start names the reason: %s', async (_, change, reason) => {
  const { code, err } = await keyward(['migrate', 'up'], { databaseUrl: change(database.url) })
  expect([code, err]).toEqual([1, expect.stringMatching(reason)])
})
