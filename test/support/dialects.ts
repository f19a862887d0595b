import { beforeAll, describe, setDefaultTimeout } from 'bun:test'
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabase, sharedPostgres } from './postgres.ts'
import { scratchFolder } from './scratch.ts'

export interface DialectDatabase {
  /** As `DATABASE_URL` takes it. */
  url: string
  /** Removes the database; close it first. What is left over goes at the end of the run. */
  dispose(): Promise<void>
}

export interface Dialect {
  name: 'sqlite' | 'postgresql'
  /**
   * A fresh database: an SQLite file of its own, or a database on this process's PostgreSQL.
   * @param options.template the URL of a database of the same dialect to copy, closed by everybody, instead of an empty one
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

/** What the suite runs on: both. `KEYWARD_TEST_DIALECT` narrows a quick local run to one; `.ci/run` unsets it. */
export const dialects: readonly Dialect[] = chosen(process.env.KEYWARD_TEST_DIALECT)

/** Declares the same tests for every dialect. No test pays for the start of PostgreSQL or for a busy machine. */
export function describeEachDialect(name: string, declare: (dialect: Dialect) => void): void {
  setDefaultTimeout(30_000)
  for (const dialect of dialects)
    describe(`${name} on ${dialect.name}`, () => {
      if (dialect.name === 'postgresql') beforeAll(() => sharedPostgres().then(() => {}), 60_000)
      declare(dialect)
    })
}

/** The file that an absolute `sqlite:////path` names. */
export const sqliteFile = (url: string): string => url.slice('sqlite:///'.length)

function chosen(name: string | undefined): Dialect[] {
  const all = [sqlite, postgresql]
  if (name === undefined || name === '') return all
  const only = all.filter((dialect) => dialect.name === name)
  if (only.length === 0) throw new Error(`KEYWARD_TEST_DIALECT must be sqlite or postgresql, not ${name}`)
  process.stderr.write(`KEYWARD_TEST_DIALECT: on ${name} alone\n`)
  return only
}

/** A write-ahead log beside the file holds commits that the file itself does not have yet. */
function copyDatabase(from: string, to: string): void {
  copyFileSync(from, to)
  if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${to}-wal`)
}
