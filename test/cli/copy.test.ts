import { Database } from 'bun:sqlite'
import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SECOND } from '../../src/lib/clock.ts'
import { addRandomRows } from '../storage/random-rows.ts'
import { openUrl } from '../storage/support.ts'
import { createTestApp } from '../support/app.ts'
import { type CliResult, keyward, migrated } from '../support/cli.ts'
import { type Dialect, type DialectDatabase, dialects, migratedDatabase, sqliteFile } from '../support/dialects.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

/** Runs `copy` with the addresses in variables, because the one of PostgreSQL has a password. */
const copy = (from: string, to: string, more: string[] = []): Promise<CliResult> =>
  keyward(['copy', '--from', 'OLD_URL', '--to', 'NEW_URL', ...more], {
    databaseUrl: 'sqlite:///not-used.db',
    env: { OLD_URL: from, NEW_URL: to },
  })

/** All rows of all tables that the database itself names, as sorted lines, and the next id of each sequence. */
async function contentOf(url: string): Promise<Record<string, unknown>> {
  const { rows, close } = await openUrl(url, { inspect: true })
  const isSqlite = url.startsWith('sqlite:')
  const names = await rows(
    isSqlite
      ? `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
      : 'SELECT tablename FROM pg_tables WHERE schemaname = current_schema()',
  )
  const sequences = isSqlite
    ? await rows('SELECT name, seq FROM sqlite_sequence')
    : await rows(
        "SELECT replace(sequencename, '_id_seq', ''), last_value FROM pg_sequences WHERE last_value IS NOT NULL",
      )
  const content: Record<string, unknown> = {
    // SQLite has a sequence at 0 for a table that a migration made again while it was empty.
    sequences: sequences.flatMap(([name, id]) => (Number(id) === 0 ? [] : [`${name} ${id}`])).sort(),
  }
  for (const [name] of names) {
    const columns = (await rows(
      isSqlite
        ? `SELECT name FROM pragma_table_info('${name}') ORDER BY name`
        : `SELECT column_name::text FROM information_schema.columns WHERE table_name = '${name}' ORDER BY column_name COLLATE "C"`,
    )) as [string][]
    const found = await rows(`SELECT ${columns.map(([column]) => `"${column}"`).join(', ')} FROM "${name}"`)
    const plain = (value: unknown) => (typeof value === 'boolean' ? Number(value) : value === null ? null : `${value}`)
    content[String(name)] = [
      columns,
      ...found.map((row) => JSON.stringify(row.map(plain).map((v) => (v === null ? v : `${v}`)))).sort(),
    ]
  }
  await close()
  return content
}

/** Rows about running processes, and when a migration was applied, belong to one database. */
const copied = ({ leases, processes, keyward_migrations, ...content }: Record<string, unknown>) => content

const filled = async (dialect: Dialect): Promise<DialectDatabase> => {
  const database = await migratedDatabase(dialect)
  const app = await createTestApp({ databaseUrl: database.url })
  const { id } = await app.signUp('ada')
  await app.signUp('bea')
  await app.admin.giveRole(id, 'admin')
  await app.admin.createApiKey({ owner: id, scopes: ['users:read'] })
  await addRandomRows(app.rows, { seed: 14, count: 510 })
  // The highest id of all is gone, and must not be given again.
  await app.admin.deleteUser(await app.admin.user((await app.rows.users.all()).at(-1)!.id))
  await app.close()
  return database
}

test('14.6 a copy from SQLite to PostgreSQL and back has every row of every table, value by value, and the next ids', async () => {
  const first = await filled(dialects[0]!)
  const expected = copied(await contentOf(first.url))
  for (const [name, lines] of Object.entries(expected)) expect([name, (lines as []).length]).not.toEqual([name, 0])
  let from = first.url
  for (const dialect of [...dialects.slice(1), ...dialects.toReversed(), dialects[0]!]) {
    const { url: to } = await dialect.databaseUrl()
    const { code, out, err } = await copy(from, to, ['--json'])
    expect({ code, err }).toEqual({
      code: 0,
      err: expect.stringMatching(/^.* is locked until the copy ends: .*503\.\n$/),
    })
    const report = JSON.parse(out) as { rows: number; tables: { name: string; rows: number; digest: string }[] }
    expect(report.tables.map(({ name }) => name).sort()).toEqual(
      Object.keys(expected)
        .filter((name) => name !== 'sequences')
        .sort(),
    )
    expect(report.rows).toBeGreaterThan(500 * report.tables.length)
    const content = await contentOf(to)
    expect([content.leases, content.processes]).toEqual([[expect.anything()], [expect.anything()]])
    expect(copied(content)).toEqual(expected)
    // The old database is as it was.
    if (from === first.url) expect(copied(await contentOf(from))).toEqual(expected)
    from = to
  }
})

test('14.6 what began before a copy goes on after it: sessions, API keys, ids, guesses and the last refresh token', async () => {
  for (const dialect of dialects) {
    const old = await migratedDatabase(dialect)
    const app = await createTestApp({ databaseUrl: old.url, env: { RATE_LIMIT: 'on' } })
    const { id, grant, password } = await app.signUp('ada')
    await app.admin.giveRole(id, 'admin')
    const key = await app.admin.createApiKey({ owner: id, scopes: ['users:read'] })
    const wrong = () => ({ form: { username: 'ada', password: 'not the password' } })
    let refused = 0
    while ((await app.request('POST', '/token', wrong())).status !== 429) refused++
    expect(refused).toBeGreaterThan(2)
    const gone = await app.admin.createUser({ email: 'gone@example.com', username: 'gone', password })
    await app.admin.deleteUser(gone)
    await app.close()

    const { url } = await dialects.at(dialects.indexOf(dialect) - 1)!.databaseUrl()
    expect((await copy(old.url, url)).code).toBe(0)
    // A guess would wait for a guess that another process checks at this moment.
    await app.clock.advance(20 * SECOND)
    const next = await createTestApp({ databaseUrl: url, clock: app.clock, env: { RATE_LIMIT: 'on' }, seed: 'next' })
    const status = async (...request: Parameters<typeof next.request>) => (await next.request(...request)).status
    expect(await status('GET', '/users/me', { token: grant.access_token })).toBe(200)
    expect(await status('GET', '/admin/users', { token: key.text })).toBe(200)
    let again = 0
    while ((await status('POST', '/token', wrong())) !== 429) again++
    expect(again).toBeLessThan(refused)
    const refresh = { json: { refresh_token: grant.refresh_token } }
    expect(await status('POST', '/token/refresh', refresh)).toBe(200)
    const { id: later } = await next.admin.createUser({ email: 'l@example.com', username: 'later', password })
    expect(later).toBeGreaterThan(gone.id)
    await next.close()
  }
})

test('14.6 a copy refuses a database that has rows or an older schema, and the database itself, and changes nothing', async () => {
  for (const dialect of dialects) {
    const [from, to] = [await migratedDatabase(dialect), await migratedDatabase(dialect)]
    const app = await createTestApp({ databaseUrl: to.url })
    await app.close()
    const before = await contentOf(to.url)
    const full = await copy(from.url, to.url)
    expect([full.code, full.out]).toEqual([4, ''])
    expect(full.err).toMatch(/ is not empty: it has rows in \w+\. Copy to a new database\. Nothing was changed\.\n$/)
    expect(await contentOf(to.url)).toEqual(before)
    const older = await openUrl(to.url)
    await older.rows('DELETE FROM keyward_migrations WHERE name = (SELECT max(name) FROM keyward_migrations)')
    await older.close()
    expect(await copy(from.url, to.url)).toMatchObject({ code: 4, err: expect.stringContaining('an older version') })
    const pending = await copy(to.url, from.url)
    expect([pending.code, pending.err]).toEqual([1, expect.stringContaining('Upgrade it with "keyward migrate up"')])
    const same = await copy(from.url, from.url)
    expect([same.code, same.err]).toEqual([1, 'The database to copy to is the one that is copied\n'])
    const { url: empty } = await dialect.databaseUrl()
    const none = await copy(empty, from.url)
    expect([none.code, none.out]).toEqual([1, ''])
  }
})

test('14.6 a copy that fails leaves the new database empty, and can be repeated', async () => {
  for (const dialect of dialects) {
    const from = await migrated(`sqlite:///${join(scratchFolder('copy'), 'old.db')}`)
    const app = await createTestApp({ databaseUrl: from })
    await app.signUp('ada')
    await app.close()
    const old = new Database(sqliteFile(from))
    old.run("UPDATE sessions SET created_at = 'yesterday'")
    const { url: to } = await dialect.databaseUrl()
    const failed = await copy(from, to)
    expect([failed.code, failed.out]).toEqual([1, ''])
    expect(failed.err).toContain('A row of sessions has no number in the column created_at. Nothing was copied.')
    const { users } = (await contentOf(to)) as Record<string, unknown[]>
    expect(users).toHaveLength(1)
    old.run('UPDATE sessions SET created_at = 1')
    old.close()
    expect((await copy(from, to)).code).toBe(0)
    expect(copied(await contentOf(to))).toEqual(copied(await contentOf(from)))
  }
})

test('14.6 a copy takes no password from its arguments, but an address from a variable or a file', async () => {
  const folder = scratchFolder('copy')
  const from = await migrated(`sqlite:///${join(folder, 'old.db')}`)
  const run = (from: string, to: string, env: Record<string, string> = {}) =>
    keyward(['copy', '--from', from, '--to', to], { databaseUrl: 'sqlite:///not-used.db', env })
  for (const address of ['postgresql://ada:hunter2@db/keyward', 'postgresql://ada@db/keyward?password=hunter2']) {
    const { code, err } = await run(from, address)
    expect([code, err]).toEqual([2, expect.stringContaining('--to takes no password, because other users')])
    expect(err).not.toContain('hunter2')
  }
  expect((await run('OLD_URL', 'sqlite:///new.db')).err).toStartWith(
    'The variable OLD_URL is not set, and neither is OLD',
  )
  expect((await run('sqlite::memory:', 'NEW_URL')).code).toBe(2)
  expect((await run('users.db', 'NEW_URL')).err).toStartWith('--from needs the address of a database')
  const secret = join(folder, 'secret')
  writeFileSync(secret, `sqlite:///${join(folder, 'new.db')}\n`)
  // DATABASE_URL is the setting, which may be in the .env file.
  const { code, err, out } = await run('DATABASE_URL', 'NEW_URL', { DATABASE_URL: from, NEW_URL_FILE: secret })
  expect([code, err]).toEqual([0, expect.stringContaining('locked')])
  expect(out).toContain('Now stop the servers of the old database')
  expect(existsSync(join(folder, 'new.db'))).toBe(true)
  const gone = await run('DATABASE_URL', 'NEW_URL', { DATABASE_URL: from, NEW_URL: 'postgresql://a:b@127.0.0.1:1/x' })
  expect([gone.code, gone.err]).toEqual([
    1,
    expect.stringMatching(/^PostgreSQL at --to does not answer; is it running/),
  ])
  const missing = await run(`sqlite:///${join(folder, 'none.db')}`, `sqlite:///${join(folder, 'more.db')}`)
  expect([missing.code, missing.err]).toEqual([1, expect.stringMatching(/^There is no database at .*none\.db/)])
  expect(existsSync(join(folder, 'more.db'))).toBe(false)
})
