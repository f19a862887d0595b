import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { openSource } from '../../src/features/import/source.ts'
import { parseDatabaseUrl } from '../../src/lib/database-url.ts'
import { createTestApp } from '../support/app.ts'
import { keyward } from '../support/cli.ts'
import { manualClock } from '../support/clock.ts'
import { startPgBouncer } from '../support/pgbouncer.ts'
import { createDatabase, type TestDatabase } from '../support/postgres.ts'
import { hasPrograms } from '../support/programs.ts'
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

describe.if(hasPrograms('pgbouncer'))('behind PgBouncer', () => {
  test.each([1, 2, 20])('12.C4 works behind PgBouncer in transaction mode, with %i sessions', async (size) => {
    const databaseUrl = await pooled(IGNORED, `default_pool_size = ${size}`)
    const apps = [await createTestApp({ databaseUrl }), await createTestApp({ databaseUrl, seed: 'another process' })]
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
      names.map((username, index) =>
        apps[(index + 1) % 2]!.request('POST', '/token', { form: { username, password } }),
      ),
    )
    expect(loggedIn.map(({ status }) => status)).toEqual(Array(12).fill(200))
  })

  test('12.C4 a pooler that refuses the time limits is used without them, and the log has the statements that set them', async () => {
    const databaseUrl = await pooled()
    const app = await createTestApp({ databaseUrl })
    ends.push(() => app.close())
    await app.signUp()
    const [warning] = app.logs.filter((line) => line.includes('database_time_limits_missing'))
    const [, statements] = /: run (ALTER .*;)$/.exec(JSON.parse(warning!).hint) ?? []
    const sql = new Bun.SQL(database.url, { max: 1 })
    for (const statement of statements!.split(';').filter(Boolean)) await sql.unsafe(statement)
    try {
      const next = await createTestApp({ databaseUrl: await pooled() })
      ends.push(() => next.close())
      expect(next.logs.join()).not.toContain('time_limits')
    } finally {
      await sql.unsafe('ALTER ROLE CURRENT_USER RESET ALL')
      await sql.close()
    }
  })

  test('12.C4 a pooler that refuses another parameter is named at the start', async () => {
    const { code, err } = await keyward(['migrate', 'up'], { databaseUrl: `${await pooled()}?work_mem=4MB` })
    expect([code, err]).toEqual([1, expect.stringMatching(/pooler.*ignore_startup_parameters \(08P01\)/)])
  })

  test('12.C4 a pooler that allows no transactions is named at the start', async () => {
    const { code, err } = await keyward(['migrate', 'up'], { databaseUrl: await pooled('pool_mode = statement') })
    expect([code, err]).toEqual([1, expect.stringContaining('set pool_mode = transaction there')])
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

  test('12.C4 prepare=false in the address leaves prepared statements out without a check at the start', async () => {
    const url = `${await pooled(IGNORED, 'default_pool_size = 1')}?prepare=false`
    const clients = [await openUrl(url), await openUrl(url)]
    for (const client of clients) ends.push(() => client.close())
    for (let round = 0; round < 5; round++)
      for (const { rows } of clients) expect(await rows('SELECT $1::int', [round])).toEqual([[round]])
  })

  test('12.C4 the accounts of an old service are read from behind PgBouncer, again and again', async () => {
    const sql = new Bun.SQL(database.url, { max: 1 })
    await sql.unsafe('CREATE TABLE users (id int, email text, username text, hash_password text)')
    await sql.close()
    const url = await pooled('default_pool_size = 1')
    for (let round = 0; round < 3; round++) {
      const source = await openSource(parseDatabaseUrl(url)!, { clock: manualClock(), trustVerified: false })
      for await (const part of source.rows()) expect(part).toEqual([])
      await source.close()
    }
  })
})
