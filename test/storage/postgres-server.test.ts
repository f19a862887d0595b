import { beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { keyward } from '../support/cli.ts'
import { createDatabase, sharedPostgres, type TestDatabase } from '../support/postgres.ts'
import { scratchFolder } from '../support/scratch.ts'
import { openUrl, spawnScript } from './support.ts'

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
  ['an unknown parameter', (url: string) => `${url}?options=-cnonsense%3D1`, /does not take a parameter.*\(42704\)/],
  ['a value that PostgreSQL refuses', (url: string) => `${url}?timezone=Mars`, /does not take a parameter.*\(22023\)/],
  [
    'channel binding without TLS',
    (url: string) => `${url}?channel_binding=require`,
    /channel_binding=require; use sslmode/,
  ],
  ['a schema that does not exist', (url: string) => `${url}?search_path=nowhere`, /no schema.*\(3F000\)/],
  ['a read-only server', (url: string) => `${url}?default_transaction_read_only=on`, /takes no writes.*\(25006\)/],
])('12.C4 the start names the reason: %s', async (_, change, reason) => {
  const { code, err } = await keyward(['migrate', 'up'], { databaseUrl: change(database.url) })
  expect([code, err]).toEqual([1, expect.stringMatching(reason)])
})

test.each([
  [
    'user:password@/name?host=/folder',
    (at: URL, folder: string) => `//${at.username}:${at.password}@${at.pathname}?host=${folder}`,
  ],
  [
    '/name?host=/folder&user=user&password=password',
    (at: URL, folder: string) => `//${at.pathname}?host=${folder}&user=${at.username}&password=${at.password}`,
  ],
  [
    'user:password@%2Ffolder/name',
    (at: URL, folder: string) => `//${at.username}:${at.password}@${encodeURIComponent(folder)}${at.pathname}`,
  ],
])('12.C4 connects by a Unix socket: postgresql+psycopg2://%s', async (_, spelling) => {
  const at = new URL(database.url)
  const folder = scratchFolder('socket')
  const socket = createServer((near) => {
    const far = connect(Number(at.port), '127.0.0.1')
    // Either side may close first. The other one then cannot write any more.
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => socket.listen(join(folder, '.s.PGSQL.5432'), resolve))
  try {
    const storage = await openUrl(`postgresql+psycopg2:${spelling(at, folder)}`)
    expect(await storage.rows('SELECT current_database()')).toEqual([[at.pathname.slice(1)]])
    await storage.close()
  } finally {
    socket.close()
  }
})

test('12.C4 the database in the address goes before PGDATABASE', async () => {
  const { child, line } = spawnScript(
    `const { openUrl } = await import('./support.ts')
    const storage = await openUrl(process.env.ADDRESS)
    console.log(...await storage.rows('SELECT current_database()'))
    process.exit()`,
    { ADDRESS: database.url, PGDATABASE: 'postgres' },
  )
  expect(await line()).toContain(new URL(database.url).pathname.slice(1))
  expect(await child.exited).toBe(0)
})

test('12.C4 keyward config and import name a parameter that Keyward does not take', async () => {
  const databaseUrl = `${database.url}?schema=public`
  const config = await keyward(['config'], { databaseUrl })
  expect([config.code, config.err]).toEqual([
    1,
    expect.stringContaining(
      'got "postgresql:********" with the parameter "schema", which Keyward does not take; takes',
    ),
  ])
  const imported = await keyward(['import', '--from', databaseUrl], { databaseUrl: database.url })
  expect([imported.code, imported.err]).toEqual([2, expect.stringContaining('with the parameter "schema"')])
})
