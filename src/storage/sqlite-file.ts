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
  /** The path of a file, or `:memory:`. `:memory:` has only one connection, so reads also see uncommitted rows. */
  path: string
  /** FULL: every answered write survives a power cut, unless it has `powerCutMayUndo`. NORMAL: a power cut may lose the last commits. */
  synchronous: 'FULL' | 'NORMAL'
  /** The most MiB of the file that the writing connection caches in memory. */
  cacheMb: number
  /**
   * True for a command that writes many rows in any order. Each page is then written to the file once for many batches,
   * and not once for each.
   */
  bulk?: boolean
  /** Changes nothing on disk: keeps the journal mode of an existing file, and opens `:memory:` for a missing one. */
  inspect?: boolean
  /** Throws a MigrationError when the file does not exist, instead of creating the file. */
  mustExist?: boolean
  clock: Clock
  random: Random
}

/** After how many pages in the write-ahead log a bulk write moves them into the file: 64 MiB. */
const BULK_PAGES = 16_384
/** How long to wait for another process that has locked the file, in milliseconds. */
export const BUSY_WAIT = 3_000

/**
 * Opens a file for writing and reading. A new file is readable by its owner only. A file of another program is not
 * changed (its journal mode stays), because Keyward will refuse that file.
 * @returns `writer`, a connection for writes and reads, and `openReader`, which opens a connection for reads only; for
 * `:memory:`, `openReader` returns `writer`
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
  // Creates a missing file with mode 600: only the owner may read it. SQLite gives `-wal` and `-shm` the same mode.
  if (!inMemory && !options.inspect && !options.mustExist) closeSync(openSync(path, 'a', 0o600))
  const writer = openWriter(path)
  try {
    writer.db.run(`PRAGMA cache_size = -${options.cacheMb * 1024}`)
    if (options.bulk) writer.db.run(`PRAGMA wal_autocheckpoint = ${BULK_PAGES}`)
    if (!options.inspect) retryWhileBusy(options.clock, () => useWriteAheadLog(writer, options))
  } catch (error) {
    closeConnection(writer)
    throw error
  }
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
      // `db` may have opened files. At the limit of open files, the error cannot be printed before these are closed.
      db.close()
    }
    throw error
  }
}

/**
 * Opens `path` three times, because SQLite opens three files: the database, the log and the shared memory. SQLite does
 * not report why it could not open a file, but these attempts usually fail for the same reason.
 * @throws the error of the system, such as `EMFILE` or `EACCES`, if an attempt fails
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
  // This statement is the first that reads the file, and fails if the file is not an SQLite database.
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
 * Repeats `task` while SQLite is busy, for up to `BUSY_WAIT` and without a pause. When two processes switch a file to
 * the journal mode WAL, SQLite refuses one of the processes at once, in spite of `busy_timeout`.
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

/** Runs a statement that controls a transaction, such as BEGIN, COMMIT or SAVEPOINT. */
export const control = ({ statements }: Connection, sql: string): void => void statements.read(sql, [])

/**
 * Copies all committed rows to the file `copy`, which only its owner can read. When `copyFile` returns, the copy
 * survives a power cut. An existing file `copy` is replaced only by a complete copy.
 * @throws the error of the system or of SQLite
 */
export function copyFile(connection: Connection, copy: string): void {
  const partial = `${copy}.partial`
  try {
    rmSync(partial, { force: true })
    writeCopy(connection, partial)
    renameSync(partial, copy)
    flush(dirname(copy))
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  }
}

/**
 * Copies all committed rows to the new file `path`, which only its owner can read, and brings the copy to the disk. The
 * copy is one snapshot: other processes may write meanwhile.
 * @throws the error of the system, `EEXIST` for an existing file, or the error of SQLite
 */
export function writeCopy({ db }: Connection, path: string): void {
  closeSync(openSync(path, 'wx', 0o600))
  const statement = db.prepare('VACUUM INTO ?')
  try {
    statement.run(path)
  } finally {
    statement.finalize()
  }
  flush(path)
}

/** Waits until a file, or the names of the files in a folder, are on the disk. */
export function flush(path: string): void {
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
 * Turns an error into a refusal with status 503, and returns any other error unchanged.
 * - `database_busy`: another process has locked the file
 * - `database_unavailable`: the file was removed, replaced or damaged, or SQLite cannot read or write the file (a full
 *   disk, for example), or lacks memory
 */
export function asRefusal(error: unknown): unknown {
  if (isBusy(error)) return databaseBusy(error)
  if (isFileGone(error)) return databaseUnavailable(error)
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|PERM|NOMEM)/.test(codeOf(error))
    ? databaseUnavailable(error)
    : error
}
