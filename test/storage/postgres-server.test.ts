import { beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { keyward } from '../support/cli.ts'
import { createDatabase, sharedPostgres, type TestDatabase } from '../support/postgres.ts'

setDefaultTimeout(60_000)

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
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
  expect([code, err]).toEqual([1, expect.stringContaining(`"${name}" has the encoding LATIN1`)])
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
