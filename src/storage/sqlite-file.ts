import { Database } from 'bun:sqlite'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { MigrationError } from './migrate.ts'
import { createStatements, type SqliteStatements } from './sqlite-statements.ts'
import { databaseBusy, databaseUnavailable } from './transaction.ts'

export interface Connection {
  db: Database
  statements: SqliteStatements
}

export interface FileOptions {
  /** A file, or `:memory:` for tests. In memory there is one connection, so a read also sees what is not committed yet. */
  path: string
  /** FULL: every answered write survives a power cut. NORMAL: a power cut may lose the last commits. */
  synchronous: 'FULL' | 'NORMAL'
  /** How many MiB of the file the writing connection keeps in memory at most. */
  cacheMb: number
  /** Changes nothing on disk: no file is created, and an existing one keeps its journal mode. */
  inspect?: boolean
  /** Refuses a file that does not exist with a MigrationError, instead of creating it. */
  mustExist?: boolean
  clock: Clock
}

/** How long to wait for another process that holds the file, in milliseconds. */
export const BUSY_WAIT = 3_000

/**
 * Opens a file for writing and reading. A new file is readable by its owner alone. Another program's file keeps its journal
 * mode, so that it can be inspected and refused unchanged.
 * @returns the connection, and how to open a second one for reading only
 * @throws MigrationError when `mustExist` and there is no file
 * @throws the error of the system or of SQLite, with its `code`: `ENOENT`, `EACCES`, `SQLITE_NOTADB`, …
 */
export function openFile(options: FileOptions): { writer: Connection; openReader: () => Connection } {
  const missing = options.path !== ':memory:' && !existsSync(options.path)
  if (options.mustExist && missing)
    throw new MigrationError(
      `There is no database at ${options.path} yet: create it with "keyward migrate up", or start the server.`,
    )
  const inMemory = options.path === ':memory:' || (options.inspect && missing)
  const path = inMemory ? ':memory:' : options.path
  // SQLite gives its -wal and -shm the mode of the file.
  if (!inMemory && !options.inspect && !options.mustExist) closeSync(openSync(path, 'a', 0o600))
  const writer = connect(new Database(path, { create: false, readwrite: true, strict: true }))
  writer.db.run(`PRAGMA cache_size = -${options.cacheMb * 1024}`)
  if (!options.inspect) retryWhileBusy(options.clock, () => useWriteAheadLog(writer.db, options.synchronous))
  return {
    writer,
    openReader: () => (inMemory ? writer : connect(new Database(path, { readonly: true, strict: true }))),
  }
}

function connect(db: Database): Connection {
  db.run(`PRAGMA busy_timeout = ${BUSY_WAIT}`)
  db.run('PRAGMA foreign_keys = ON')
  db.run('PRAGMA temp_store = MEMORY')
  // The first read of the file: here SQLite refuses a file that is no database.
  db.query('SELECT count(*) FROM sqlite_schema').values()
  return { db, statements: createStatements(db) }
}

function useWriteAheadLog(db: Database, synchronous: string): void {
  db.run(`PRAGMA synchronous = ${synchronous}`)
  db.run('PRAGMA journal_size_limit = 67108864')
  const tables = db.query('SELECT name FROM sqlite_schema').values().flat()
  if (tables.length === 0 || tables.includes('keyward_migrations')) db.run('PRAGMA journal_mode = WAL')
}

/** When two processes switch one file to WAL at once, SQLite refuses one of them without waiting. */
function retryWhileBusy<T>(clock: Clock, task: () => T): T {
  const deadline = clock.monotonic() + BUSY_WAIT
  for (;;) {
    try {
      return task()
    } catch (error) {
      if (!isBusy(error) || clock.monotonic() >= deadline) throw error
    }
  }
}

/** Sets how long SQLite itself waits for a lock, which stops the event loop meanwhile. */
export function setWait({ db }: Connection, milliseconds: number): void {
  db.run(`PRAGMA busy_timeout = ${milliseconds}`)
}

/** Runs BEGIN, COMMIT, SAVEPOINT and the like. */
export const control = ({ statements }: Connection, sql: string): void => void statements.read(sql, [])

/**
 * Copies the committed content to the file `copy`, readable by its owner alone. The copy is on disk when this returns. A
 * file of that name is replaced only by a complete copy.
 */
export function copyFile({ db }: Connection, copy: string): void {
  const partial = `${copy}.partial`
  try {
    rmSync(partial, { force: true })
    closeSync(openSync(partial, 'wx', 0o600))
    const statement = db.prepare('VACUUM INTO ?')
    try {
      statement.run(partial)
    } finally {
      statement.finalize()
    }
    flush(partial)
    renameSync(partial, copy)
    flush(dirname(copy))
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

export function closeConnection({ db, statements }: Connection): void {
  statements.clear()
  db.close(true)
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? '')

export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))

/** Turns an error into a 503 when storage is unavailable or full. A violated constraint or a defect is returned unchanged. */
export function asRefusal(error: unknown): unknown {
  if (isBusy(error)) return databaseBusy(error)
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|PERM|NOMEM)/.test(codeOf(error))
    ? databaseUnavailable(error)
    : error
}
