import { Database, type SQLQueryBindings, type Statement } from 'bun:sqlite'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { Result } from './store.ts'
import { databaseBusy, databaseUnavailable } from './transaction.ts'

/** How many texts a connection keeps prepared. The service's own are far fewer; the rest come from lists of varying length. */
const STATEMENTS = 512

/**
 * How many KiB of the file the connection that serves keeps in memory, where the file has as many. The three pages that a
 * request reads of each of 8,000 users out of a million just fit. A cache that is too small for those who are active is
 * slower than hardly any: what it holds is pushed out before it is used again.
 */
const CACHE = 131_072

export interface Connection {
  db: Database
  statements: Map<string, Prepared>
}

interface Prepared {
  statement: Statement
  /** Whether it answers rows; one that only changes some is run without the list that a RETURNING makes of them. */
  answers: boolean
}

export interface FileOptions {
  path: string
  synchronous: 'FULL' | 'NORMAL'
  /** How long to wait while others open the same file, in milliseconds. */
  patience: number
  /** Makes no file and leaves an existing one in the mode it has. */
  inspect: boolean
  clock: Clock
}

/**
 * Opens a file to write and read, made private to its owner if it is new, and answers how to open it a second time to read
 * alone. A file of another program is opened but left in the mode it has, so that it can be looked at and refused.
 * @throws what the system or SQLite says, with its `code`: `ENOENT`, `EACCES`, `SQLITE_NOTADB`, ...
 */
export function openFile(options: FileOptions): { writer: Connection; openReader: () => Connection } {
  const inMemory = options.path === ':memory:' || (options.inspect && !existsSync(options.path))
  const path = inMemory ? ':memory:' : options.path
  // SQLite gives its -wal and -shm the mode of the file.
  if (!inMemory && !options.inspect) closeSync(openSync(path, 'a', 0o600))
  const writer = connect(new Database(path, { create: false, readwrite: true, strict: true }), options.patience)
  writer.db.run(`PRAGMA cache_size = -${CACHE}`)
  if (!options.inspect) retryWhileBusy(options, () => useWriteAheadLog(writer.db, options.synchronous))
  const openReader = () =>
    inMemory ? writer : connect(new Database(path, { readonly: true, strict: true }), options.patience)
  return { writer, openReader }
}

function connect(db: Database, patience: number): Connection {
  db.run(`PRAGMA busy_timeout = ${patience}`)
  db.run('PRAGMA foreign_keys = ON')
  db.run('PRAGMA temp_store = MEMORY')
  // The first look into the file; what is no database is told here.
  db.query('SELECT count(*) FROM sqlite_schema').values()
  return { db, statements: new Map() }
}

function useWriteAheadLog(db: Database, synchronous: string): void {
  db.run(`PRAGMA synchronous = ${synchronous}`)
  db.run('PRAGMA journal_size_limit = 67108864')
  const tables = db.query('SELECT name FROM sqlite_schema').values().flat()
  if (tables.length === 0 || tables.includes('keyward_migrations')) db.run('PRAGMA journal_mode = WAL')
}

/** Of two processes that switch one file to WAL, SQLite refuses one at once, without waiting. */
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

/** Runs any statement: its rows, or how many it changed where it answers none. */
export function runStatement(connection: Connection, sql: string, params: unknown[]): Result {
  const { statement, answers } = prepare(connection, sql)
  const bindings = params as SQLQueryBindings[]
  return answers
    ? { rows: statement.values(...bindings) as unknown[][], changes: 0 }
    : { rows: [], changes: statement.run(...bindings).changes }
}

/** The rows of a SELECT. */
export const readRows = (connection: Connection, sql: string, params: unknown[]): unknown[][] =>
  prepare(connection, sql).statement.values(...(params as SQLQueryBindings[])) as unknown[][]

/** Runs what bounds a transaction. */
export const control = (connection: Connection, sql: string): void => void readRows(connection, sql, [])

/** Statements are kept by their text: Drizzle prepares the text, this keeps what SQLite made of it. */
function prepare({ db, statements }: Connection, sql: string): Prepared {
  let prepared = statements.get(sql)
  if (!prepared) {
    if (statements.size >= STATEMENTS) forget(statements)
    const statement = db.prepare(sql)
    prepared = { statement, answers: statement.columnNames.length > 0 }
    statements.set(sql, prepared)
  }
  return prepared
}

function forget(statements: Connection['statements']): void {
  for (const { statement } of statements.values()) statement.finalize()
  statements.clear()
}

/**
 * Copies what is committed to `copy`, readable by its owner alone and on disk when this returns. A copy of that name
 * is replaced, and only by a whole one.
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
  forget(statements)
  db.close(true)
}

const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? '')

export const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))

/** Storage that is away or full is a 503; a violated constraint or a mistake of ours passes unchanged. */
export function asRefusal(error: unknown): unknown {
  if (isBusy(error)) return databaseBusy(error)
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|PERM|NOMEM)/.test(codeOf(error))
    ? databaseUnavailable(error)
    : error
}
