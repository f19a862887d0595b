import { KeywardError } from '../../src/errors.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { parseDatabaseUrl } from '../../src/lib/database-url.ts'
import type { Log } from '../../src/lib/log.ts'
import type { Random } from '../../src/lib/random.ts'
import { openStorage } from '../../src/storage/database.ts'
import { embeddedMigrations, migrate } from '../../src/storage/migrate.ts'
import type { Driver, Store } from '../../src/storage/store.ts'
import { seededRandom } from '../support/random.ts'

export interface TestStorage {
  store: Store
  driver: Driver
  /** Rows of one statement, outside a transaction unless called in one. */
  rows(sql: string, params?: unknown[]): Promise<unknown[][]>
  close(): Promise<void>
}

export interface TestStorageOptions {
  clock?: Clock
  random?: Random
  log?: Pick<Log, 'error' | 'warn'>
  inspect?: boolean
  mustExist?: boolean
  cacheMb?: number
  waitInside?: boolean
  poolSize?: number
}

/** Only the storage layer, opened as a server does; without migrations. */
export async function openUrl(url: string, options: TestStorageOptions = {}): Promise<TestStorage> {
  const { store, driver } = await openStorage({
    target: parseDatabaseUrl(url)!,
    synchronous: 'FULL',
    cacheMb: 16,
    poolSize: 5,
    clock: systemClock,
    random: seededRandom(),
    ...options,
  })
  return {
    store,
    driver,
    rows: async (sql, params = []) => (await driver.execute(sql, params)).rows,
    close: () => store.close(),
  }
}

/** With a table `thing (id, name unique)` of the test. */
export async function openWithThing(url: string, options?: TestStorageOptions): Promise<TestStorage> {
  const storage = await openUrl(url, options)
  await storage.rows('CREATE TABLE IF NOT EXISTS thing (id bigint PRIMARY KEY, name text UNIQUE)')
  return storage
}

/** With the tables of Keyward. */
export async function openMigrated(url: string, options?: TestStorageOptions): Promise<TestStorage> {
  const storage = await openUrl(url, options)
  await migrate(storage.driver, embeddedMigrations(storage.store.dialect), systemClock)
  return storage
}

/** The code of the refusal that a promise rejects with, or a note that it did not. */
export const refusalOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error) => {
      for (let at = error; at instanceof Error; at = at.cause as Error) if (at instanceof KeywardError) return at.code
      return String(error)
    },
  )

/** Lets everything finish that waits for neither a clock nor another process. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A bun process that runs `script`, with lines on its standard output and input. */
export function spawnScript(script: string, env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, '-e', script], {
    cwd: import.meta.dir,
    env: { ...process.env, ...env },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const reader = child.stdout.getReader()
  let text = ''
  return {
    child,
    /** The next whole line, or the rest when the process ends. */
    async line(): Promise<string> {
      for (;;) {
        const end = text.indexOf('\n')
        if (end >= 0) {
          const line = text.slice(0, end)
          text = text.slice(end + 1)
          return line
        }
        const { value, done } = await reader.read()
        if (done) return text
        text += new TextDecoder().decode(value)
      }
    },
  }
}

/** Another process that holds the write lock of an SQLite file until `release`. */
export async function lockFile(path: string) {
  const holder = spawnScript(
    `const { Database } = require('bun:sqlite')
    const db = new Database(process.env.FILE)
    db.run('BEGIN IMMEDIATE')
    console.log('held')
    for await (const _ of Bun.stdin.stream()) break
    db.run('COMMIT')
    db.close()`,
    { FILE: path },
  )
  if ((await holder.line()) !== 'held') throw new Error('the file was not held')
  return {
    async release() {
      holder.child.stdin.write('go\n')
      await holder.child.stdin.end()
      await holder.child.exited
    },
  }
}
