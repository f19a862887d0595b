import { Database, type SQLQueryBindings, type Statement } from 'bun:sqlite'
import { AsyncLocalStorage } from 'node:async_hooks'
import { closeSync, openSync, renameSync } from 'node:fs'
import { KeywardError } from '../errors.ts'
import { type Clock, nextTurn } from '../lib/clock.ts'
import { type Random, randomId } from '../lib/random.ts'
import type { Driver } from './store.ts'

export interface SqliteOptions {
  /** A file, or `:memory:` for tests (reader and writer are then one connection). */
  path: string
  /** FULL: what was answered survives a power cut. NORMAL: a power cut may take the last commits. */
  synchronous: 'FULL' | 'NORMAL'
  clock: Clock
  random: Random
  /** The server never waits inside SQLite, which would freeze its event loop; a command beside it may. */
  waitInside?: boolean
}

/** How long a transaction waits for another process that holds the file, in milliseconds. */
const BUSY_WAIT = 3_000
/** How long a start waits for another process that migrates the same file, in milliseconds. */
const MIGRATION_WAIT = 60_000
/** How many units share one commit. */
const BATCH = 64

interface Unit {
  work: () => Promise<unknown>
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
  afterCommit: (() => void)[]
  deadline: number
  open: boolean
}

/**
 * SQLite with one writer and one reader. Writers are grouped: all units that wait at one moment run one after the
 * other inside a single transaction, each in a savepoint of its own, and share its commit. Nothing is answered
 * before that commit, so a batch costs one fsync and loses nothing.
 */
export function openSqlite({ path, synchronous, clock, random, waitInside = false }: SqliteOptions): Driver {
  const writer = connect(path, { synchronous, busyTimeout: waitInside ? BUSY_WAIT : 0 })
  const reader = path === ':memory:' ? writer : connect(path, { readonly: true, busyTimeout: 0 })
  const running = new AsyncLocalStorage<Unit>()
  let queue: Unit[] = []
  let draining = false
  let drained: Promise<void> = Promise.resolve()
  let waitedTotal = 0
  let waitedMsTotal = 0

  function enqueue<T>(work: () => Promise<T>, inside: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const unit: Unit = { work, resolve: resolve as Unit['resolve'], reject, afterCommit: [], deadline: 0, open: true }
      unit.deadline = clock.monotonic() + BUSY_WAIT
      if (inside) unit.work = () => running.run(unit, work)
      queue.push(unit)
      if (!draining) drained = drain()
    })
  }

  async function drain(): Promise<void> {
    draining = true
    try {
      do {
        await nextTurn()
        if (await begin()) await runBatch(queue.splice(0, BATCH))
      } while (queue.length > 0)
    } finally {
      draining = false
    }
  }

  /** Takes the write lock, waiting outside SQLite; false once nobody waits any longer. */
  async function begin(): Promise<boolean> {
    for (;;) {
      try {
        writer.run('BEGIN IMMEDIATE')
        return true
      } catch (error) {
        const refusal = asRefusal(error)
        const now = clock.monotonic()
        const waits = (unit: Unit) => isBusy(error) && now < unit.deadline
        for (const unit of queue) if (!waits(unit)) unit.reject(refusal)
        queue = queue.filter(waits)
        if (queue.length === 0) return false
        await clock.sleep(2 + random.fraction() * 18)
      }
    }
  }

  async function runBatch(batch: Unit[]): Promise<void> {
    const settle: (() => void)[] = []
    const begun = clock.monotonic() + BUSY_WAIT
    waitedTotal += batch.length
    for (const unit of batch) waitedMsTotal += begun - unit.deadline
    try {
      for (const unit of batch) settle.push(await runUnit(unit))
      writer.run('COMMIT')
    } catch (error) {
      const refusal = asRefusal(error)
      for (const unit of batch) unit.reject(refusal)
      if (writer.inTransaction) writer.run('ROLLBACK')
      return
    }
    for (const done of settle) done()
  }

  /** Runs one unit in a savepoint; throws only when the whole transaction is lost. */
  async function runUnit(unit: Unit): Promise<() => void> {
    writer.run('SAVEPOINT unit')
    try {
      const value = await unit.work()
      writer.run('RELEASE unit')
      return () => {
        unit.resolve(value)
        for (const task of unit.afterCommit) task()
      }
    } catch (error) {
      if (!writer.inTransaction) throw error
      writer.run('ROLLBACK TO unit')
      writer.run('RELEASE unit')
      return () => unit.reject(error)
    } finally {
      unit.open = false
    }
  }

  async function readWithPatience(sql: string, params: unknown[]): Promise<unknown[][]> {
    const deadline = clock.monotonic() + BUSY_WAIT
    for (;;) {
      try {
        return run(reader, sql, params)
      } catch (error) {
        if (!isBusy(error) || clock.monotonic() >= deadline) throw asRefusal(error)
        await clock.sleep(2 + random.fraction() * 18)
      }
    }
  }

  return {
    async execute(sql, params) {
      const unit = running.getStore()
      if (unit) {
        if (!unit.open) throw new Error('A statement was run after its transaction had ended')
        return { rows: runOrRefuse(writer, sql, params) }
      }
      if (/^\s*select\b/i.test(sql)) return { rows: await readWithPatience(sql, params) }
      return { rows: await enqueue(async () => runOrRefuse(writer, sql, params), false) }
    },
    transaction: (work) => (running.getStore()?.open ? work() : enqueue(work, true)),
    afterCommit(task) {
      const unit = running.getStore()
      if (unit?.open) unit.afterCommit.push(task)
      else task()
    },
    stats: () => ({ waiting: queue.length, waitedTotal, waitedMsTotal }),
    async migrateAlone(work) {
      // A migration may rebuild a table that others refer to, which SQLite allows only with its foreign keys off.
      writer.run('PRAGMA foreign_keys = OFF')
      try {
        return await patiently(writer, MIGRATION_WAIT, async () => {
          writer.run('BEGIN IMMEDIATE')
          try {
            const value = await work(
              async (sql, params = []) => writer.prepare(sql).values(...(params as SQLQueryBindings[])) as unknown[][],
            )
            const orphans = writer.query('PRAGMA foreign_key_check').values()
            if (orphans.length > 0) throw new Error(`${orphans.length} rows refer to a row that is not there`)
            writer.run('COMMIT')
            return value
          } catch (error) {
            if (writer.inTransaction) writer.run('ROLLBACK')
            throw error
          }
        })
      } finally {
        writer.run('PRAGMA foreign_keys = ON')
      }
    },
    async columnsOf(table) {
      return writer
        .query('SELECT name FROM pragma_table_info(?)')
        .values(table)
        .map(([name]) => String(name))
    },
    async copyAside(label) {
      if (path === ':memory:') return undefined
      const copy = `${path}.before-${label}`
      const partial = `${copy}.${randomId(random)}.partial`
      closeSync(openSync(partial, 'w', 0o600))
      await patiently(writer, MIGRATION_WAIT, async () => writer.query('VACUUM INTO ?').run(partial))
      renameSync(partial, copy)
      return copy
    },
    async close() {
      await drained
      if (reader !== writer) close(reader)
      close(writer)
    },
  }
}

interface Connection extends Database {
  statements?: Map<string, Statement>
}

function connect(path: string, options: { readonly?: boolean; synchronous?: string; busyTimeout: number }): Connection {
  if (path !== ':memory:' && !options.readonly) closeSync(openSync(path, 'a', 0o600))
  const db: Connection = options.readonly
    ? new Database(path, { readonly: true, strict: true })
    : new Database(path, { create: true, readwrite: true, strict: true })
  // Two first starts meet at the switch to WAL, which needs the file alone.
  db.run(`PRAGMA busy_timeout = ${BUSY_WAIT}`)
  if (!options.readonly) {
    db.run('PRAGMA journal_mode = WAL')
    db.run(`PRAGMA synchronous = ${options.synchronous}`)
    db.run('PRAGMA journal_size_limit = 67108864')
  }
  db.run('PRAGMA foreign_keys = ON')
  db.run('PRAGMA temp_store = MEMORY')
  db.run(`PRAGMA busy_timeout = ${options.busyTimeout}`)
  db.statements = new Map()
  return db
}

/** Waits inside SQLite while `task` runs. Only before the first request: it stops the event loop. */
async function patiently<T>(db: Database, milliseconds: number, task: () => Promise<T>): Promise<T> {
  const [before] = db.query('PRAGMA busy_timeout').values()[0] as [number]
  db.run(`PRAGMA busy_timeout = ${milliseconds}`)
  try {
    return await task()
  } finally {
    db.run(`PRAGMA busy_timeout = ${before}`)
  }
}

function close(db: Connection): void {
  for (const statement of db.statements?.values() ?? []) statement.finalize()
  db.close(true)
}

/** Statements are kept by their text: Drizzle prepares the text, this keeps what SQLite made of it. */
function run(db: Connection, sql: string, params: unknown[]): unknown[][] {
  let statement = db.statements?.get(sql)
  if (!statement) {
    statement = db.prepare(sql)
    db.statements?.set(sql, statement)
  }
  return statement.values(...(params as SQLQueryBindings[])) as unknown[][]
}

function runOrRefuse(db: Connection, sql: string, params: unknown[]): unknown[][] {
  try {
    return run(db, sql, params)
  } catch (error) {
    throw asRefusal(error)
  }
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? '')

const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))

/** Storage that is away or full is a 503; a violated constraint or a mistake of ours passes unchanged. */
function asRefusal(error: unknown): unknown {
  if (isBusy(error)) return new KeywardError('database_busy', { retryAfter: 1, cause: error })
  if (/^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL)/.test(codeOf(error)))
    return new KeywardError('database_unavailable', { retryAfter: 5, cause: error })
  return error
}
