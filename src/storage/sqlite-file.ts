import { Database } from 'bun:sqlite'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { MigrationError } from './migration-error.ts'
import { createStatements, type SqliteStatements } from './sqlite-statements.ts'
import { databaseBusy, databaseUnavailable } from './transaction.ts'

export interface Connection {
  db: Database
  statements: SqliteStatements
}

export interface FileOptions {
  path: string
  synchronous: 'FULL' | 'NORMAL'
  /** How many MiB of the file the connection that serves keeps in memory, where the file has as many. */
  cacheMb: number
  /** How long to wait while others open the same file, in milliseconds. */
  patience: number
  /** Creates no file and leaves an existing one in the journal mode it has. */
  inspect: boolean
  /** Refuses a file that does not exist instead of creating it. */
  mustExist: boolean
  clock: Clock
}

/**
 * Opens a file for writing and reading. A new file is readable by its owner alone. Another program's file keeps its journal
 * mode, so that it can be inspected and refused unchanged.
 * @returns the connection, and how to open a second one for reading only
 * @throws MigrationError when `mustExist` and there is no file
 * @throws what the system or SQLite says, with its `code`: `ENOENT`, `EACCES`, `SQLITE_NOTADB`, ...
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
  const writer = connect(new Database(path, { create: false, readwrite: true, strict: true }), options.patience)
  writer.db.run(`PRAGMA cache_size = -${options.cacheMb * 1024}`)
  if (!options.inspect) retryWhileBusy(options, () => useWriteAheadLog(writer.db, options.synchronous))
  const openReader = () =>
    inMemory ? writer : connect(new Database(path, { readonly: true, strict: true }), options.patience)
  return { writer, openReader }
}

function connect(db: Database, patience: number): Connection {
  db.run(`PRAGMA busy_timeout = ${patience}`)
  db.run('PRAGMA foreign_keys = ON')
  db.run('PRAGMA temp_store = MEMORY')
  // The first read of the file: SQLite refuses here what is not a database.
  db.query('SELECT count(*) FROM sqlite_schema').values()
  return { db, statements: createStatements(db) }
}

function useWriteAheadLog(db: Database, synchronous: string): void {
  db.run(`PRAGMA synchronous = ${synchronous}`)
  db.run('PRAGMA journal_size_limit = 67108864')
  const tables = db.query('SELECT name FROM sqlite_schema').values().flat()
  if (tables.length === 0 || tables.includes('keyward_migrations')) db.run('PRAGMA journal_mode = WAL')
}

/** Of two processes that switch one file to WAL at once SQLite refuses one without waiting. */
function retryWhileBusy({ clock, patience }: FileOptions, task: () => void): void {
  const deadline = clock.monotonic() + patience
  for (;;) {
    try {
      task()
      return
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
 * Copies what is committed to the file `copy`, readable by its owner alone. The copy is on disk when this returns. A file of
 * that name is replaced only by a complete copy.
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

/** Makes a 503 of storage that is unavailable or full. A violated constraint or a programming error passes unchanged. */
export function asRefusal(error: unknown): unknown {
  if (isBusy(error)) return databaseBusy(error)
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|PERM|NOMEM)/.test(codeOf(error))
    ? databaseUnavailable(error)
    : error
}
