import type { Clock } from '../lib/clock.ts'
import type { DatabaseTarget } from '../lib/database-url.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import { type CopiedTable, copiedTables } from './copied-tables.ts'
import { CopyError, NotEmptyError, onSide } from './copy-error.ts'
import { type CopySide, Digest, sideOf } from './copy-rows.ts'
import { type DatabaseSettings, openDatabase } from './database.ts'
import { embeddedMigrations, migrationStates } from './migrate.ts'
import type { Driver, RunSql, Store } from './store.ts'

export interface CopyReport {
  tables: {
    name: string
    rows: number
    /** Equal on both databases: of all values of all rows, whatever their order. */
    digest: string
  }[]
  rows: number
}

export interface CopyOptions {
  from: DatabaseTarget
  to: DatabaseTarget
  /** Everything but the address, for both databases. */
  settings: DatabaseSettings
  clock: Clock
  /** Called when nobody can write to the old database any more. */
  onLocked: (rows: number) => void
  /** Called after each part, with how many of the rows were copied and how many were read again and compared. */
  onProgress: (done: { copied: number; compared: number }) => MaybePromise<void>
  /** Called when the new database is complete. The old database stays locked until the promise resolves. */
  onDone: (report: CopyReport) => Promise<void>
}

/** How long the copy waits for writes that run, in milliseconds. */
const LOCK_WAIT = 30_000

/**
 * Copies all rows of a database of Keyward to an empty one, which it migrates first, and compares both. Nobody can
 * write to the old database meanwhile. The new database gets all rows in one transaction: after a failure or a kill it
 * has none, and the copy can be repeated.
 * @throws NotEmptyError when the new database has rows; CopyError when a row cannot be copied or differs afterwards;
 * SideError with the error of `openDatabase` or of a statement
 */
export async function copyDatabase(options: CopyOptions): Promise<void> {
  const { from, to, settings, clock, onDone } = options
  if (isSame(from, to)) throw new CopyError('The database to copy to is the one that is copied')
  const open = (target: DatabaseTarget, schema: 'require' | 'upgrade') =>
    openDatabase({ ...settings, DATABASE_URL: target }, { clock, schema, waitInside: true })
  const source = await onSide('from', () => open(from, 'require'))
  try {
    await onSide('to', () => requireEmpty(options))
    const target = await onSide('to', () => open(to, 'upgrade'))
    try {
      await whileLocked(source, async (run) => {
        await onDone(await copyLocked(options, sideOf(from.dialect, onlyOn('from', run)), target))
      })
    } finally {
      await target.store.close()
    }
  } finally {
    await source.store.close()
  }
}

interface Opened {
  store: Store
  driver: Driver
}

const isSame = (from: DatabaseTarget, to: DatabaseTarget): boolean =>
  from.dialect === 'sqlite' ? to.dialect === 'sqlite' && from.path === to.path : 'url' in to && from.url === to.url

const onlyOn =
  (side: 'from' | 'to', run: RunSql): RunSql =>
  (sql, params) =>
    onSide(side, () => run(sql, params))

/** Runs `work` while nobody else can write to the rows that are copied. */
const whileLocked = ({ store, driver }: Opened, work: (run: RunSql) => Promise<void>): Promise<void> =>
  onSide('from', () => {
    if (store.dialect === 'sqlite') return driver.runAlone(({ run }) => work(run))
    const run: RunSql = async (sql, params = []) => (await driver.execute(sql, params)).rows
    return driver.transaction(async () => {
      await withoutTimeLimits(run)
      await run(`LOCK TABLE ${copiedTables.map(({ name }) => `"${name}"`).join(', ')} IN SHARE MODE`)
      await work(run)
    })
  })

/** The locks of a copy may take long, and so may the other database while this one does nothing. */
async function withoutTimeLimits(run: RunSql): Promise<void> {
  await run(`SET LOCAL lock_timeout = ${LOCK_WAIT}`)
  await run('SET LOCAL statement_timeout = 0')
  await run('SET LOCAL idle_in_transaction_session_timeout = 0')
}

/**
 * Checks that there is no database of Keyward yet, or one that nobody has used. Changes nothing.
 * @throws NotEmptyError; MigrationError as `migrationStates`
 */
async function requireEmpty({ to, settings, clock }: CopyOptions): Promise<void> {
  const options = { clock, schema: 'ignore', waitInside: true } as const
  const { store, driver } = await openDatabase({ ...settings, DATABASE_URL: to }, options)
  try {
    const states = await migrationStates(driver, embeddedMigrations(store.dialect))
    const pending = states.filter(({ appliedAt }) => appliedAt === undefined).length
    if (pending === states.length) return
    if (pending > 0) throw notEmpty(to, 'it belongs to an older version of Keyward')
    const run: RunSql = async (sql, params = []) => (await driver.execute(sql, params)).rows
    await requireUnused(to, sideOf(to.dialect, run))
  } finally {
    await store.close()
  }
}

const notEmpty = ({ shown }: DatabaseTarget, why: string) =>
  new NotEmptyError(`${shown} is not empty: ${why}. Copy to a new database. Nothing was changed.`)

/** The tables in which migrations write rows, and how many. */
const madeRows: Readonly<Record<string, number>> = { roles: 2 }

async function requireUnused(target: DatabaseTarget, side: CopySide): Promise<void> {
  for (const table of copiedTables)
    if ((await side.count(table)) > (madeRows[table.name] ?? 0)) throw notEmpty(target, `it has rows in ${table.name}`)
}

async function copyLocked(
  { to, onLocked, onProgress }: CopyOptions,
  source: CopySide,
  { driver, store }: Opened,
): Promise<CopyReport> {
  let total = 0
  for (const table of copiedTables) total += await source.count(table)
  onLocked(total)
  const done = { copied: 0, compared: 0 }
  const report = await onSide('to', () =>
    driver.runAlone(async ({ run: runAnywhere }) => {
      const run = onlyOn('to', runAnywhere)
      if (store.dialect === 'postgresql') await lockTarget(run)
      const target = sideOf(store.dialect, run)
      await requireUnused(to, target)
      for (const name of Object.keys(madeRows)) await run(`DELETE FROM "${name}"`)
      const tables: CopyReport['tables'] = []
      for (const table of copiedTables) {
        const before = await digestOf(source, table, async (rows) => {
          await target.write(table, rows)
          done.copied += rows.length
          await onProgress(done)
        })
        if (table.assignsIds) await target.continueAfter(table, await source.highestId(table))
        const after = await digestOf(target, table, async (rows) => {
          done.compared += rows.length
          await onProgress(done)
        })
        if (before.rows !== after.rows || before.text() !== after.text()) throw differs(table)
        tables.push({ name: table.name, rows: after.rows, digest: after.text() })
      }
      if (done.copied !== total) throw new CopyError('The old database changed during the copy. Nothing was copied.')
      if (store.dialect === 'postgresql') await run(`ANALYZE ${copiedTables.map(({ name }) => name).join(', ')}`)
      return { tables, rows: total }
    }),
  )
  await store.checkpoint().catch(() => {})
  return report
}

/** The lock also holds off reads: a server that starts meanwhile waits, and then finds the keys of the old database. */
async function lockTarget(run: RunSql): Promise<void> {
  await withoutTimeLimits(run)
  await run(`LOCK TABLE ${copiedTables.map(({ name }) => `"${name}"`).join(', ')} IN ACCESS EXCLUSIVE MODE`)
}

async function digestOf(side: CopySide, table: CopiedTable, use: (rows: Digested) => Promise<void>): Promise<Digest> {
  const digest = new Digest()
  for await (const rows of side.read(table)) {
    digest.add(rows)
    await use(rows)
  }
  return digest
}

type Digested = Parameters<CopySide['write']>[1]

const differs = ({ name }: CopiedTable) =>
  new CopyError(`The rows of ${name} are not the same in both databases. Nothing was copied.`)
