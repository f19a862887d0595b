import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  embeddedMigrations,
  type Migration,
  MigrationError,
  migrate,
  migrationStates,
  requireCurrent,
} from '../../src/storage/migrate.ts'
import { manualClock } from '../support/clock.ts'
import { type DialectDatabase, describeEachDialect } from '../support/dialects.ts'
import { schemaOf } from './schema.ts'
import { openUrl, spawnScript, type TestStorage } from './support.ts'

describeEachDialect('migrations', (dialect) => {
  const migrations = embeddedMigrations(dialect.name)
  const clock = manualClock()
  let database: DialectDatabase
  let storage: TestStorage

  beforeEach(async () => {
    database = await dialect.databaseUrl()
    storage = await openUrl(database.url)
  })
  afterEach(async () => {
    await storage.close()
    await database.dispose()
  })

  const up = (list: readonly Migration[] = migrations) => migrate(storage.driver, list, clock)
  const applied = async () => (await storage.rows('SELECT name FROM keyward_migrations ORDER BY name')).flat()
  const refusal = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => new Error('nothing was refused'),
      (thrown: Error) => thrown,
    )
    expect(error).toBeInstanceOf(MigrationError)
    return error.message
  }

  test('apply from every earlier version, and always give the same schema', async () => {
    expect(migrations.length).toBeGreaterThan(0)
    await up()
    const whole = await schemaOf(storage)
    for (let length = 0; length < migrations.length; length++) {
      const part = await dialect.databaseUrl()
      const other = await openUrl(part.url)
      await migrate(other.driver, migrations.slice(0, length), clock)
      const { applied: rest } = await migrate(other.driver, migrations, clock)
      expect(rest).toEqual(migrations.slice(length).map(({ name }) => name))
      expect(await schemaOf(other)).toEqual(whole)
      await other.close()
      await part.dispose()
    }
  })

  test('12.A1 keep the network of a login known, but not that of a refresh', async () => {
    const before = migrations.findIndex(({ name }) => name === '0012_known_devices')
    await up(migrations.slice(0, before))
    const active = dialect.name === 'sqlite' ? '1' : 'true'
    await storage.rows(
      `INSERT INTO users (email, email_key, username, username_key, is_active, session_epoch, created_at, updated_at) VALUES ('a', 'a', 'a', 'a', ${active}, 1, 1, 1)`,
    )
    for (const values of ["'at login', '192.0.2.1', 0", "'refreshed', '192.0.2.2', 1", "'over IPv6', '2001:db8::1', 0"])
      await storage.rows(
        `INSERT INTO sessions (id, ip, generation, user_id, epoch, amr, auth_time, created_at) VALUES (${values}, 1, 1, 'pwd', 1, 1)`,
      )
    await up()
    expect(await storage.rows('SELECT id, login_network FROM sessions ORDER BY id')).toEqual([
      ['at login', '192.0.2.1'],
      ['over IPv6', null],
      ['refreshed', null],
    ])
  })

  test('are recorded with their time and not applied twice', async () => {
    expect((await migrationStates(storage.driver, migrations)).map(({ appliedAt }) => appliedAt)).toEqual(
      migrations.map(() => undefined),
    )
    expect((await up()).applied).toEqual(migrations.map(({ name }) => name))
    expect(await applied()).toEqual(migrations.map(({ name }) => name))
    expect(await up()).toEqual({ applied: [], copy: undefined })
    for (const { appliedAt } of await migrationStates(storage.driver, migrations)) expect(appliedAt).toBe(clock.now())
  })

  test('are refused if one differs from the text that was applied', async () => {
    await up()
    const [first, ...rest] = migrations as [Migration, ...Migration[]]
    const message = await refusal(up([{ ...first, sql: `${first.sql}\n-- changed` }, ...rest]))
    expect(message).toContain(first.name)
    expect(message).toContain('is not the one that made the database')
  })

  test('T9: are refused if the database is newer', async () => {
    await up([...migrations, { name: '9999_tomorrow', sql: 'CREATE TABLE tomorrow (id bigint)' }])
    expect(await refusal(up())).toContain('newer Keyward (it has "9999_tomorrow")')
  })

  test('are required by commands that do not apply them, with a hint how to apply them', async () => {
    const require = (list: readonly Migration[] = migrations) => requireCurrent(storage.driver, list)
    expect(await refusal(require())).toBe(
      'The database has no tables of Keyward yet: create them with "keyward migrate up", or start the server.',
    )
    await up()
    await require()
    const one = { name: '9998_one', sql: 'CREATE TABLE one (id bigint)' }
    const two = { name: '9999_two', sql: 'CREATE TABLE two (id bigint)' }
    expect(await refusal(require([...migrations, one]))).toBe(
      'The database is not up to date: a migration is pending (9998_one). Upgrade it with "keyward migrate up", or start the server.',
    )
    expect(await refusal(require([...migrations, one, two]))).toContain('2 migrations are pending (9998_one, 9999_two)')
    expect(await applied()).toEqual(migrations.map(({ name }) => name))
    await up([...migrations, one])
    expect(await refusal(require())).toContain('newer Keyward (it has "9998_one")')
  })

  test('are all rolled back if one fails, and apply once it is corrected', async () => {
    const broken = {
      name: '9999_broken',
      sql: 'CREATE TABLE half (id bigint)--> statement-breakpoint\nINSERT INTO none VALUES (1)',
    }
    await expect(up([...migrations, broken])).rejects.toThrow(/none/)
    expect(await storage.driver.columnsOf('half')).toEqual([])
    expect(await storage.driver.columnsOf('users')).toEqual([])
    expect((await up()).applied).toHaveLength(migrations.length)
  })

  test.each(['hashed_password', 'hash_password'])(
    'refuse a FastAPI database with users.%s and name the import command',
    async (column) => {
      await storage.rows(`CREATE TABLE users (id integer PRIMARY KEY, email text, username text, ${column} text)`)
      await storage.rows(`INSERT INTO users VALUES (1, 'ada@example.com', 'ada', 'x')`)
      const before = await schemaOf(storage)
      expect(await refusal(up())).toContain('keyward import --from')
      expect(await schemaOf(storage)).toEqual(before)
      expect(await storage.rows('SELECT username FROM users')).toEqual([['ada']])
    },
  )

  test.each(['users', 'sessions', 'signing_keys'])('refuse a database with a foreign table "%s"', async (table) => {
    await storage.rows(`CREATE TABLE ${table} (id integer PRIMARY KEY, name text)`)
    expect(await refusal(up())).toContain(`a table "${table}" that Keyward did not make`)
  })

  test('T9: start again after a process was killed half-way', async () => {
    const half = spawnScript(
      `
      const { openUrl } = await import('./support.ts')
      const { embeddedMigrations } = await import('../../src/storage/migrate.ts')
      const { driver } = await openUrl(process.env.URL)
      await driver.runAlone(async ({ run }) => {
        for (const { sql } of embeddedMigrations('${dialect.name}'))
          for (const statement of sql.split('--> statement-breakpoint')) await run(statement)
        console.log('made')
        await Bun.sleep(600_000)
      })`,
      { URL: database.url },
    )
    expect(await half.line()).toBe('made')
    half.child.kill('SIGKILL')
    await half.child.exited
    expect(await storage.driver.columnsOf('users')).toEqual([])
    expect((await up()).applied).toHaveLength(migrations.length)
  })

  test('T9: are applied once by four processes that start on one empty database', async () => {
    const script = `
      const { openUrl } = await import('./support.ts')
      const { embeddedMigrations, migrate } = await import('../../src/storage/migrate.ts')
      const { systemClock } = await import('../../src/lib/clock.ts')
      console.log('ready')
      for await (const _ of Bun.stdin.stream()) break
      const { driver, close } = await openUrl(process.env.URL)
      const { applied, copy } = await migrate(driver, embeddedMigrations('${dialect.name}'), systemClock)
      await close()
      console.log(JSON.stringify({ applied: applied.length, copy }))`
    // The processes create the database themselves, its file included.
    const fresh =
      dialect.name === 'sqlite' ? { ...database, url: `${database.url}.fresh` } : await dialect.databaseUrl()
    const starts = Array.from({ length: 4 }, () => spawnScript(script, { URL: fresh.url }))
    for (const { line } of starts) expect(await line()).toBe('ready')
    for (const { child } of starts) {
      child.stdin.write('go\n')
      await child.stdin.end()
    }
    const answers = await Promise.all(starts.map(async ({ line }) => JSON.parse(await line())))
    expect(answers.map((one) => one.applied).sort()).toEqual([0, 0, 0, migrations.length])
    expect(answers.map((one) => one.copy)).toEqual(Array(4).fill(undefined))
    for (const { child } of starts) expect(await child.exited).toBe(0)
  }, 60_000)
})
