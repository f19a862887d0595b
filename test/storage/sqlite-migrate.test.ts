import { Database } from 'bun:sqlite'
import { beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  embeddedMigrations,
  type Migration,
  MigrationError,
  migrate,
  migrationStates,
  requireCurrent,
} from '../../src/storage/migrate.ts'
import { manualClock } from '../support/clock.ts'
import { scratchFolder } from '../support/scratch.ts'
import { schemaOf } from './schema.ts'
import { openUrl, refusalOf, spawnScript } from './support.ts'

setDefaultTimeout(60_000)

const migrations = embeddedMigrations('sqlite')
const clock = manualClock()
let folder: string
let path: string
let url: string

beforeEach(() => {
  folder = scratchFolder('sqlite')
  path = join(folder, 'users.db')
  url = `sqlite:///${path}`
})

async function up(list: readonly Migration[] = migrations) {
  const { driver, close } = await openUrl(url)
  try {
    return await migrate(driver, list, clock)
  } finally {
    await close()
  }
}

/** A database of an older version with a row, and the migration that the next version adds. */
async function olderDatabase() {
  await up([...migrations, first])
  const { rows, close } = await openUrl(url)
  await rows(`INSERT INTO note VALUES ('kept')`)
  await close()
}
const first = { name: '9000_note', sql: 'CREATE TABLE `note` (text text)' }
const second = {
  name: '9001_note',
  sql: 'ALTER TABLE `note` ADD `more` text;--> statement-breakpoint\nDELETE FROM `note`',
}

describe('before an upgrade', () => {
  test('the file is copied, readable for its owner only, and the copy can be restored', async () => {
    await olderDatabase()
    const { applied, copy } = await up([...migrations, first, second])
    expect(applied).toEqual(['9001_note'])
    expect(copy).toBe(`${path}.before-9001_note`)
    expect(statSync(copy!).mode & 0o777).toBe(0o600)
    const upgraded = await openUrl(url)
    expect(await upgraded.rows('SELECT text, more FROM note')).toEqual([])
    await upgraded.close()

    copyFileSync(copy!, path)
    expect((await up([...migrations, first])).applied).toEqual([])
    const restored = await openUrl(url)
    expect(await restored.rows('SELECT text FROM note')).toEqual([['kept']])
    expect(await restored.rows('PRAGMA journal_mode')).toEqual([['wal']])
    await restored.close()
  })

  test('the copy includes rows that are only in the write-ahead log', async () => {
    await olderDatabase()
    const server = await openUrl(url)
    await server.rows(`INSERT INTO note VALUES ('in the log')`)
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)
    const { copy } = await migrate(server.driver, [...migrations, first, second], clock)
    await server.close()
    expect(new Database(copy!).query('SELECT text FROM note').values()).toEqual([['kept'], ['in the log']])
  })

  test('a new or current file is not copied', async () => {
    expect(await up()).toEqual({ applied: migrations.map(({ name }) => name), copy: undefined })
    expect(await up()).toEqual({ applied: [], copy: undefined })
    expect(readdirSync(folder)).toEqual(['users.db'])
  })

  test('a copy that fails stops the upgrade, and no part of it remains', async () => {
    await olderDatabase()
    mkdirSync(`${path}.before-9001_note`)
    await expect(up([...migrations, first, second])).rejects.toThrow()
    expect(readdirSync(folder).sort()).toEqual(['users.db', 'users.db.before-9001_note'])
    const { rows, close } = await openUrl(url)
    expect(await rows('SELECT text FROM note')).toEqual([['kept']])
    await close()
  })

  test('of two processes one upgrades, and the copy is from before', async () => {
    await olderDatabase()
    const script = `
      const { openUrl } = await import('./support.ts')
      const { migrate } = await import('../../src/storage/migrate.ts')
      const { systemClock } = await import('../../src/lib/clock.ts')
      const { driver, close } = await openUrl(process.env.URL)
      console.log('ready')
      for await (const _ of Bun.stdin.stream()) break
      const answer = await migrate(driver, JSON.parse(process.env.MIGRATIONS), systemClock)
      await close()
      console.log(JSON.stringify(answer))`
    const env = { URL: url, MIGRATIONS: JSON.stringify([...migrations, first, second]) }
    const starts = Array.from({ length: 4 }, () => spawnScript(script, env))
    for (const { line } of starts) expect(await line()).toBe('ready')
    for (const { child } of starts) {
      child.stdin.write('go\n')
      await child.stdin.end()
    }
    const answers = await Promise.all(starts.map(async ({ line }) => JSON.parse(await line())))
    expect(answers.map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 1])
    expect(answers.filter(({ copy }) => copy !== undefined)).toHaveLength(1)
    const copy = new Database(`${path}.before-9001_note`)
    expect(copy.query('SELECT text FROM note').values()).toEqual([['kept']])
    expect(copy.query('PRAGMA integrity_check').values()).toEqual([['ok']])
  })
})

test('a new file has the objects, rows and records that the migrations make one after the other', async () => {
  const content = async (list: readonly Migration[]) => {
    await up(list)
    const db = new Database(path)
    const objects = db.query(`SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name`).values()
    const tables = objects.filter(([type, name]) => type === 'table' && name !== 'sqlite_sequence')
    const rows = tables.map(([, name]) => [name, db.query(`SELECT * FROM "${name}"`).values()])
    db.close()
    rmSync(path)
    return { objects, rows }
  }
  const oneAfterTheOther = [...migrations]
  expect(await content(migrations)).toEqual(await content(oneAfterTheOther))
})

describe('a file that must exist', () => {
  test('is refused if it does not exist, and not created', async () => {
    const opened = openUrl(url, { mustExist: true })
    await expect(opened).rejects.toBeInstanceOf(MigrationError)
    await expect(opened).rejects.toThrow(
      `There is no database at ${path} yet: create it with "keyward migrate up", or start the server.`,
    )
    expect(readdirSync(folder)).toEqual([])
  })

  test('is opened for writing if it exists', async () => {
    await up()
    const { driver, rows, close } = await openUrl(url, { mustExist: true })
    await requireCurrent(driver, migrations)
    await rows(`INSERT INTO write_probes (name, written_at) VALUES ('a', 1)`)
    expect(await rows('PRAGMA journal_mode')).toEqual([['wal']])
    await close()
  })
})

test('a table that others refer to can be rebuilt, and a change that would orphan a row is refused', async () => {
  await up()
  const prepare = await openUrl(url)
  await prepare.rows('CREATE TABLE part (user_id bigint REFERENCES whole (id) ON DELETE CASCADE)')
  await prepare.rows('CREATE TABLE whole (id integer PRIMARY KEY)')
  await prepare.rows('INSERT INTO whole VALUES (1)')
  await prepare.rows('INSERT INTO part VALUES (1)')
  await prepare.close()
  const rebuild = [
    'CREATE TABLE new_whole (id integer PRIMARY KEY)',
    'INSERT INTO new_whole SELECT id FROM whole',
    'DROP TABLE whole',
    'ALTER TABLE new_whole RENAME TO whole',
  ]
  const sql = (statements: string[]) => statements.join('--> statement-breakpoint\n')
  await up([...migrations, { name: '9000_rebuild', sql: sql(rebuild) }])
  const after = await openUrl(url)
  expect(await after.rows('SELECT user_id FROM part')).toEqual([[1]])
  expect(await after.rows('PRAGMA foreign_keys')).toEqual([[1]])
  await after.close()
  const orphaning = { name: '9001_orphan', sql: sql(['DELETE FROM whole']) }
  await expect(up([...migrations, { name: '9000_rebuild', sql: sql(rebuild) }, orphaning])).rejects.toThrow(
    '1 rows refer to a row that is not there',
  )
})

describe('a foreign file', () => {
  test.each([
    ['text', 'not a database, but long enough to be one. '.repeat(100)],
    ['a short text', 'hi\n'],
  ])('%s is refused and not changed', async (_, content) => {
    writeFileSync(path, content)
    await expect(openUrl(url)).rejects.toThrow(expect.objectContaining({ code: 'SQLITE_NOTADB' }))
    expect(readFileSync(path, 'utf8')).toBe(content)
    expect(readdirSync(folder)).toEqual(['users.db'])
  })

  test('a FastAPI service’s database is refused and not changed in a single byte', async () => {
    const theirs = new Database(path)
    theirs.run('CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR, username VARCHAR, hashed_password VARCHAR)')
    theirs.close()
    const before = readFileSync(path)
    const { driver, close } = await openUrl(url)
    await expect(migrate(driver, migrations, clock)).rejects.toBeInstanceOf(MigrationError)
    await close()
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(folder)).toEqual(['users.db'])
  })
})

describe('a check without changes', () => {
  test('creates no file', async () => {
    const { driver, close } = await openUrl(url, { inspect: true })
    expect((await migrationStates(driver, migrations)).every(({ appliedAt }) => appliedAt === undefined)).toBe(true)
    await close()
    expect(existsSync(path)).toBe(false)
  })

  test('lists applied and pending migrations', async () => {
    await up(migrations.slice(0, 1))
    const before = readFileSync(path)
    const storage = await openUrl(url, { inspect: true })
    const [head, ...rest] = await migrationStates(storage.driver, migrations)
    expect(head?.appliedAt).toBe(clock.now())
    expect(rest.every(({ appliedAt }) => appliedAt === undefined)).toBe(true)
    expect((await schemaOf(storage)).columns).toContain('users.id number')
    await storage.close()
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

test('a start waits for another process that is migrating', async () => {
  const slow = spawnScript(
    `const { openUrl } = await import('./support.ts')
    const { driver, close } = await openUrl(process.env.URL)
    await driver.runAlone(async ({ run }) => {
      await run('CREATE TABLE note (text text)')
      console.log('holds')
      for await (const _ of Bun.stdin.stream()) break
    })
    await close()`,
    { URL: url },
  )
  expect(await slow.line()).toBe('holds')
  // It waits inside SQLite, so it needs a process of its own.
  const start = spawnScript(
    `const { openUrl } = await import('./support.ts')
    const { driver, close } = await openUrl(process.env.URL)
    console.log('begins')
    await driver.runAlone(async ({ run }) => console.log(JSON.stringify(await run('SELECT count(*) FROM note'))))
    await close()`,
    { URL: url },
  )
  expect(await start.line()).toBe('begins')
  slow.child.stdin.write('go\n')
  await slow.child.stdin.end()
  expect(await start.line()).toBe('[[0]]')
  expect(await refusalOf(start.child.exited)).toBe('resolved')
})
