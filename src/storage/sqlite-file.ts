import { Database } from 'bun:sqlite'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { isFileGone } from './file-identity.ts'
import { MigrationError } from './migrate.ts'
import { countStart, hasForeignLog } from './sqlite-count.ts'
import { createStatements, type SqliteStatements } from './sqlite-statements.ts'
import { databaseBusy, databaseUnavailable } from './transaction.ts'

export interface Connection {
  db: Database
  statements: SqliteStatements
}

export interface FileOptions {
  /** A file, or `:memory:` for tests. `:memory:` has only one connection, so reads also see uncommitted rows. */
  path: string
  /** FULL: every answered write survives a power cut. NORMAL: a power cut may lose the last commits. */
  synchronous: 'FULL' | 'NORMAL'
  /** How many MiB of the file the writing connection keeps in memory at most. */
  cacheMb: number
  /** Changes nothing on disk: keeps the journal mode of an existing file, and opens `:memory:` for a missing one. */
  inspect?: boolean
  /** Throws a MigrationError when the file does not exist, instead of creating the file. */
  mustExist?: boolean
  clock: Clock
  random: Random
}

/** How long to wait for another process that has locked the file, in milliseconds. */
export const BUSY_WAIT = 3_000

/**
 * Opens a file for writing and reading. Only the owner of a new file can read it. The file of another program keeps its
 * journal mode. Thus Keyward can inspect and refuse the file without a change.
 * @returns the connection, and a function that opens a second one for reading only; for `:memory:` it returns the first
 * @throws MigrationError when `mustExist` is true and the file does not exist, and when the write-ahead log beside the
 * file belongs to another file
 * @throws the error of the system or of SQLite, with its `code`: `ENOENT`, `EACCES`, `SQLITE_NOTADB`, …
 */
export function openFile(options: FileOptions): { writer: Connection; openReader: () => Connection } {
  const missing = options.path !== ':memory:' && !existsSync(options.path)
  if (options.mustExist && missing)
    throw new MigrationError(
      `There is no database at ${options.path} yet: create it with "keyward migrate up", or start the server.`,
    )
  if (!missing && hasForeignLog(options.path))
    throw new MigrationError(
      `${options.path}-wal does not belong to ${options.path}: the file was replaced, for example with a backup, and rows of the earlier file are left in the write-ahead log. Nothing was changed. To go on with the file as it is, delete ${options.path}-wal and ${options.path}-shm.`,
    )
  const inMemory = options.path === ':memory:' || (options.inspect && missing)
  const path = inMemory ? ':memory:' : options.path
  // Only the owner may read a new file. SQLite copies this file mode to the files `-wal` and `-shm`.
  if (!inMemory && !options.inspect && !options.mustExist) closeSync(openSync(path, 'a', 0o600))
  const writer = openWriter(path)
  writer.db.run(`PRAGMA cache_size = -${options.cacheMb * 1024}`)
  if (!options.inspect) retryWhileBusy(options.clock, () => useWriteAheadLog(writer, options))
  return {
    writer,
    openReader: () => (inMemory ? writer : connect(new Database(path, { readonly: true, strict: true }))),
  }
}

function openWriter(path: string): Connection {
  const db = new Database(path, { create: false, readwrite: true, strict: true })
  try {
    return connect(db)
  } catch (error) {
    try {
      if (/^SQLITE_CANTOPEN/.test(codeOf(error))) openAsSqlite(path)
    } finally {
      // A `db` that is not closed keeps its files open. At the limit of open files, the error could not be printed.
      db.close()
    }
    throw error
  }
}

/**
 * Finds out why SQLite could not open its three files (file, log and shared memory), which SQLite does not say. Opens
 * `path` as often.
 * @throws the error of the system, such as `EMFILE` or `EACCES`, if there is one
 */
function openAsSqlite(path: string): void {
  const files: number[] = []
  try {
    for (let count = 0; count < 3; count++) files.push(openSync(path, 'r+'))
  } finally {
    for (const file of files) closeSync(file)
  }
}

function connect(db: Database): Connection {
  db.run(`PRAGMA busy_timeout = ${BUSY_WAIT}`)
  db.run('PRAGMA foreign_keys = ON')
  db.run('PRAGMA temp_store = MEMORY')
  // This statement is the first to read the file. It fails if the file is not an SQLite database.
  db.query('SELECT count(*) FROM sqlite_schema').values()
  return { db, statements: createStatements(db) }
}

function useWriteAheadLog(writer: Connection, { synchronous, mustExist, random }: FileOptions): void {
  const { db } = writer
  db.run(`PRAGMA synchronous = ${synchronous}`)
  db.run('PRAGMA journal_size_limit = 67108864')
  const tables = db.query('SELECT name FROM sqlite_schema').values().flat()
  if (tables.length > 0 && !tables.includes('keyward_migrations')) return
  if (!mustExist) {
    setWait(writer, 0)
    countStart(writer, random)
    setWait(writer, BUSY_WAIT)
  }
  db.run('PRAGMA journal_mode = WAL')
}

/**
 * Repeats `task` while SQLite is busy, for `BUSY_WAIT` and without a pause. When two processes switch a file to WAL,
 * SQLite refuses one of them without waiting.
 */
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

/** Sets how long SQLite itself waits for a lock. This wait blocks the event loop. */
export function setWait({ db }: Connection, milliseconds: number): void {
  db.run(`PRAGMA busy_timeout = ${milliseconds}`)
}

/** Runs BEGIN, COMMIT, SAVEPOINT and the like. */
export const control = ({ statements }: Connection, sql: string): void => void statements.read(sql, [])

/**
 * Copies the committed rows to the file `copy`, which only its owner can read. The copy is on disk when this function
 * returns. An existing file `copy` is replaced only by a complete copy.
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

/**
 * Turns an error into a refusal with status 503 when the file is locked by another process, gone, damaged or cannot be
 * read or written (a full disk). Returns any other error unchanged.
 */
export function asRefusal(error: unknown): unknown {
  if (isBusy(error)) return databaseBusy(error)
  if (isFileGone(error)) return databaseUnavailable(error)
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|PERM|NOMEM)/.test(codeOf(error))
    ? databaseUnavailable(error)
    : error
}
