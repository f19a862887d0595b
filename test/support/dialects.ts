import { beforeAll, describe, setDefaultTimeout } from 'bun:test'
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseDatabaseUrl } from '../../src/lib/database-url.ts'
import { openDatabase } from '../../src/storage/database.ts'
import { manualClock } from './clock.ts'
import { createDatabase, sharedPostgres } from './postgres.ts'
import { scratchFolder } from './scratch.ts'

export interface DialectDatabase {
  /** In the form of `DATABASE_URL`. */
  url: string
  /** Removes the database; close it first. Databases that are left are removed at the end of the run. */
  dispose(): Promise<void>
}

export interface Dialect {
  name: 'sqlite' | 'postgresql'
  /**
   * A new database: an SQLite file, or a database on this process's PostgreSQL.
   * @param options.template the URL of a closed database of the same dialect to copy, instead of an empty one
   */
  databaseUrl(options?: { template?: string }): Promise<DialectDatabase>
}

const sqlite: Dialect = {
  name: 'sqlite',
  async databaseUrl({ template } = {}) {
    const folder = scratchFolder('sqlite')
    const file = join(folder, 'users.db')
    if (template !== undefined) copyDatabase(sqliteFile(template), file)
    return {
      url: `sqlite:///${file}`,
      dispose: async () => rmSync(folder, { recursive: true, force: true }),
    }
  },
}

const postgresql: Dialect = {
  name: 'postgresql',
  async databaseUrl(options) {
    const { url, drop } = await createDatabase(options)
    return { url, dispose: drop }
  },
}

/** The databases of a suite: both. `KEYWARD_TEST_DIALECT` limits a quick local run to one; `.ci/run` unsets it. */
export const dialects: readonly Dialect[] = chosen(process.env.KEYWARD_TEST_DIALECT)

/** Declares the same tests for every dialect. The start of PostgreSQL does not count towards a test's timeout. */
export function describeEachDialect(name: string, declare: (dialect: Dialect) => void): void {
  setDefaultTimeout(30_000)
  for (const dialect of dialects)
    describe(`${name} on ${dialect.name}`, () => {
      if (dialect.name === 'postgresql') beforeAll(() => sharedPostgres().then(() => {}), 60_000)
      declare(dialect)
    })
}

const migrated = new Map<Dialect, Promise<string>>()
/** The next copy of PostgreSQL, which the server makes while the test before it runs. */
let prepared: Promise<DialectDatabase> | undefined

/** A new database with Keyward's current schema: a copy of one that this test process migrated once. */
export async function migratedDatabase(dialect: Dialect): Promise<DialectDatabase> {
  let template = migrated.get(dialect)
  if (!template) {
    template = migratedTemplate(dialect)
    migrated.set(dialect, template)
  }
  const copy = async () => dialect.databaseUrl({ template: await template })
  if (dialect.name === 'sqlite') return copy()
  const next = prepared ?? copy()
  prepared = next.then(copy)
  // Whoever takes the next copy gets the error.
  prepared.catch(() => {})
  return next
}

async function migratedTemplate(dialect: Dialect): Promise<string> {
  const { url } = await dialect.databaseUrl()
  const settings = { SQLITE_SYNCHRONOUS: 'FULL', SQLITE_CACHE_MB: 16, POSTGRES_POOL_SIZE: 2 } as const
  const { store } = await openDatabase({ DATABASE_URL: parseDatabaseUrl(url)!, ...settings }, { clock: manualClock() })
  await store.close()
  return url
}

/** The file of an absolute `sqlite:////path`. */
export const sqliteFile = (url: string): string => url.slice('sqlite:///'.length)

function chosen(name: string | undefined): Dialect[] {
  const all = [sqlite, postgresql]
  if (name === undefined || name === '') return all
  const only = all.filter((dialect) => dialect.name === name)
  if (only.length === 0) throw new Error(`KEYWARD_TEST_DIALECT must be sqlite or postgresql, not ${name}`)
  process.stderr.write(`KEYWARD_TEST_DIALECT: on ${name} alone\n`)
  return only
}

/** A write-ahead log beside the file may contain commits that the file does not have yet. */
function copyDatabase(from: string, to: string): void {
  copyFileSync(from, to)
  if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`)
}
