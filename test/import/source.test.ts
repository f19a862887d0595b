import { Database } from 'bun:sqlite'
import { beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { createTestApp } from '../support/app.ts'
import { keyward, migrated } from '../support/cli.ts'
import { type Dialect, describeEachDialect, sqliteFile } from '../support/dialects.ts'
import { createDatabase, sharedPostgres } from '../support/postgres.ts'
import { scratchFolder } from '../support/scratch.ts'
import { bcryptHash, importFrom, oldService, sqlalchemyTable } from './old-service.ts'

/** Both dialects, also when the suite runs on only one. */
const sqlite: Dialect = {
  name: 'sqlite',
  databaseUrl: async () => ({ url: `sqlite:///${join(scratchFolder('old'), 'users.db')}`, dispose: async () => {} }),
}
const postgresql: Dialect = {
  name: 'postgresql',
  databaseUrl: async () => {
    const { url, drop } = await createDatabase()
    return { url, dispose: drop }
  },
}

const newDatabase = (): string => `sqlite:///${join(scratchFolder('target'), 'keyward.db')}`

const importNew = async (from: string, databaseUrl = newDatabase()) => importFrom(from, await migrated(databaseUrl))

async function oldServiceWithAda(dialect: Dialect) {
  const old = await oldService(dialect, sqlalchemyTable)
  const hashed_password = await bcryptHash('correct horse battery')
  await old.insert({ id: 1, email: 'ada@example.com', username: 'ada', hashed_password, is_active: true })
  return old
}

describe('the old SQLite file', () => {
  const contents = (file: string) =>
    readdirSync(dirname(file)).map((name) => {
      const path = join(dirname(file), name)
      return [name, statSync(path).mtimeMs, readFileSync(path, 'base64')]
    })

  test.each(['delete', 'wal'])('is not changed, nor its folder (journal: %s)', async (mode) => {
    const old = await oldServiceWithAda(sqlite)
    await old.execute(`PRAGMA journal_mode = ${mode}`)
    const file = sqliteFile(old.url)
    const before = contents(file)
    expect((await importNew(old.url)).out).toContain('Imported 1 account ')
    expect(contents(file)).toEqual(before)
  })

  test('is read together with its write-ahead log', async () => {
    const old = await oldServiceWithAda(sqlite)
    const service = new Database(sqliteFile(old.url))
    service.run('PRAGMA journal_mode = WAL')
    service.run(`INSERT INTO users SELECT 2, 'bob@example.com', 'bob', hashed_password, 1, NULL, NULL FROM users`)
    const before = readFileSync(sqliteFile(old.url), 'base64')
    expect((await importNew(old.url)).out).toContain('Imported 2 accounts ')
    expect(readFileSync(sqliteFile(old.url), 'base64')).toBe(before)
    service.close()
  })

  test.each(['sqlite+aiosqlite:///', 'sqlite+pysqlite:///'])('is found as %s', async (scheme) => {
    const old = await oldServiceWithAda(sqlite)
    const file = relative(process.cwd(), sqliteFile(old.url))
    expect((await importNew(`${scheme}${file}?check_same_thread=False`)).code).toBe(0)
  })
})

describe('the old PostgreSQL database', () => {
  beforeAll(() => sharedPostgres().then(() => {}), 60_000)

  test('is found with the driver name in its URL, and only read', async () => {
    const old = await oldService(postgresql, 'CREATE TABLE log (line TEXT)')
    await old.execute(`CREATE FUNCTION noisy() RETURNS TEXT LANGUAGE sql AS
      $$ INSERT INTO log VALUES ('read') RETURNING line $$;
      CREATE VIEW users AS SELECT 1 AS id, 'ada@example.com' AS email, noisy() AS username, '' AS hash_password`)
    const url = old.url.replace('postgresql://', 'postgresql+psycopg://')
    expect(await importNew(url)).toMatchObject({ code: 1, err: 'The old database cannot be read (25006)\n' })
  })

  test('that is down or refuses access is reported without the password', async () => {
    const { url } = await postgresql.databaseUrl()
    const wrong = new URL(url)
    wrong.password = 'hunter2'
    const elsewhere = new URL(url)
    elsewhere.pathname = '/nowhere'
    for (const [from, reason] of [
      [wrong.href, 'The old database refuses this username or password'],
      [elsewhere.href, 'The old database does not exist: the server has no database of that name'],
      ['postgresql://user:hunter2@127.0.0.1:1/users', 'The old database does not answer'],
      ['postgresql://user:hunter2@no-such-host.invalid/users', 'The host "no-such-host.invalid" has no address'],
    ] as const) {
      const { code, err } = await importNew(from)
      expect(code).toBe(1)
      expect(err).toStartWith(reason)
      expect(err).not.toContain('hunter2')
    }
  })
})

describe('refuses', () => {
  test('text that is not a database URL', async () => {
    for (const from of ['users.db', 'mysql://root@localhost/users', 'sqlite::memory:', '']) {
      const { code, err } = await keyward(['import', '--from', from], { databaseUrl: newDatabase() })
      expect(code).toBe(2)
      expect(err).toContain('needs the DATABASE_URL of the old service')
    }
    expect((await keyward(['import'], { databaseUrl: newDatabase() })).code).toBe(2)
  })

  test('missing files and files that are not databases, and creates none', async () => {
    const folder = scratchFolder('odd')
    writeFileSync(join(folder, 'text.db'), 'not a database at all, but long enough to be taken for one '.repeat(20))
    writeFileSync(join(folder, 'empty.db'), '')
    for (const [path, reason] of [
      [join(folder, 'missing.db'), `The old database ${folder}/missing.db does not exist: no such file`],
      [join(folder, 'missing/users.db'), `The old database ${folder}/missing/users.db does not exist: no such file`],
      [folder, `The old database ${folder} is not an SQLite file`],
      [join(folder, 'text.db'), `The old database ${folder}/text.db is not an SQLite file`],
      [join(folder, 'empty.db'), 'This is not the database of a user service that Keyward knows'],
    ] as const) {
      const { code, out, err } = await importNew(`sqlite:///${path}`)
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toStartWith(reason)
    }
    expect(readdirSync(folder).sort()).toEqual(['empty.db', 'text.db'])
  })
})

test('14.5 an address with a password is taken from a variable or from standard input, and never from the arguments', async () => {
  const databaseUrl = newDatabase()
  const from = 'postgresql://user:hunter2@127.0.0.1:1/users'
  for (const address of [from, 'postgresql://user@127.0.0.1:1/users?password=hunter2']) {
    const { code, err } = await keyward(['import', '--from', address], { databaseUrl })
    expect([code, err]).toEqual([2, expect.stringContaining('--from takes no password')])
    expect(err).not.toContain('hunter2')
  }
  const unreachable = { code: 1, err: expect.stringContaining('The old database does not answer') }
  expect(await keyward(['import', '--from', '-'], { databaseUrl, secret: `${from}\n` })).toMatchObject(unreachable)
  const env = { OLD_URL: from }
  expect(await keyward(['import', '--from', 'OLD_URL'], { databaseUrl, env })).toMatchObject(unreachable)
  for (const flags of [[], ['--from', 'NONE']])
    expect((await keyward(['import', ...flags], { databaseUrl, env })).code).toBe(2)
})

describeEachDialect('refuses', (dialect) => {
  test('databases with other tables', async () => {
    for (const table of [
      'CREATE TABLE people (id INTEGER)',
      'CREATE TABLE users (id INTEGER, email VARCHAR, username VARCHAR)',
      'CREATE TABLE users (id INTEGER, username VARCHAR, hashed_password VARCHAR)',
    ])
      expect((await importNew((await oldService(dialect, table)).url)).err).toStartWith(
        'This is not the database of a user service that Keyward knows: ',
      )
    const app = await createTestApp({ dialect })
    expect((await importNew(app.databaseUrl)).err).toStartWith('This database already belongs to Keyward')
    await app.close()
  })

  test('the import of a database into itself', async () => {
    const old = await oldServiceWithAda(dialect)
    const { code, err } = await importFrom(old.url, old.url)
    expect(code).toBe(1)
    expect(err).toContain('keyward import --from')
  })
})

describeEachDialect('accounts whose name was taken after the plan', (dialect) => {
  test('are reported, and all others are imported, in batches and with one audit event', async () => {
    const app = await createTestApp({ dialect })
    const hash = await bcryptHash('correct horse battery')
    const rows = Array.from({ length: 9_000 }, (_, at) => ({
      id: String(at + 100),
      email: `user${at}@example.com`,
      username: `user${at}`,
      hash,
      isActive: undefined,
      createdAt: undefined,
    }))
    const { imported, present, late } = await app.admin.importAccounts(rows, async () => {
      await app.signUp('user8500')
      await app.signUp('stranger', 'another password')
    })
    expect([imported, present]).toEqual([8_999, 0])
    expect(late).toMatchObject([
      { sourceId: '8600', reasons: [expect.stringContaining('in Keyward'), expect.anything()] },
    ])
    expect(await app.rows.users.count()).toBe(9_001)
    expect(await app.rows.auditEvents.all({ event: 'users.imported' })).toHaveLength(1)
    // A second import finds what the first has done, as after a crash between two batches.
    const others = rows.filter(({ id }) => id !== '8600')
    expect(await app.admin.importAccounts(others)).toEqual({ imported: 0, present: 0, late: [], roles: 0, factors: 0 })
    expect(Math.max(...(await app.rows.users.all()).map(({ id }) => id))).toBeLessThan(9_100)
    await app.close()
  })

  test('prevent the insert of all others', async () => {
    const app = await createTestApp({ dialect })
    await app.signUp('ada')
    const account = (id: number, name: string) => ({
      id,
      email: `${name}@example.com`,
      emailKey: `${name}@example.com`,
      username: name,
      usernameKey: name,
      passwordHash: '',
      passwordScheme: 'bcrypt' as const,
      isActive: true,
      emailVerifiedAt: null,
      name: null,
      locale: null,
      externalId: null,
      externalSource: null,
      createdAt: 0,
    })
    const many = Array.from({ length: 600 }, (_, i) => account(i + 10, `user${i}`))
    expect(await app.admin.importUsers([...many, account(9, 'ada')])).toBe(false)
    expect(await app.admin.importUsers([...many, account(9, 'eve')])).toBe(true)
    // PostgreSQL does not reuse the ids of a rolled-back insert. Neither database assigns an id twice.
    expect((await app.signUp('bob')).id).toBe(610)
    await app.close()
  })
})
