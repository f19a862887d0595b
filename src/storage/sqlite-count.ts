import { closeSync, openSync, readSync } from 'node:fs'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { Connection } from './sqlite-file.ts'

/*
 * SQLite applies a write-ahead log to whatever file lies beside it. The log that a crash leaves would undo the restore
 * of a backup, or damage the restored file. Therefore Keyward keeps a count in the file's header (SQLite's "user
 * version"), and raises it at each start and while it writes. A log belongs to the file if the file's count is one of
 * the counts in the log, or one less than the first of them. A copy from before the last checkpoint has a lower count,
 * and another database most likely a very different one. A copy made after that checkpoint, in the last minute before
 * the crash, is not noticed.
 */

/** While Keyward writes, the time between two raises of the count, in milliseconds. A raise writes one more page. */
const STEP = 1_000

/** The highest first count of a file, which is random. SQLite's highest count, 2^31 - 1, is 59 years of raises away. */
const FIRST_COUNTS = 2 ** 28

const readCount = ({ statements }: Connection): number => Number(statements.read('PRAGMA user_version', [])[0]?.[0])

/** Call this in a transaction. */
const writeCount = ({ db }: Connection, count: number): void => void db.run(`PRAGMA user_version = ${count}`)

/**
 * Returns a function to call in each transaction, before its commit. The function raises the count, at most once in
 * `STEP` and only when rows have changed.
 */
export function createCounter(writer: Connection, clock: Clock): () => void {
  let next = -Infinity
  let changesThen = 0
  return () => {
    const now = clock.monotonic()
    if (now < next) return
    const changes = Number(writer.statements.read('SELECT total_changes()', [])[0]?.[0])
    if (changes === changesThen) return
    changesThen = changes
    next = now + STEP
    const count = readCount(writer)
    // Zero: an earlier version made the file, and `countStart` could not write the first count.
    if (count > 0) writeCount(writer, count + 1)
  }
}

/**
 * Raises the count in the file, so that a copy from before this start is noticed. A file without a count gets its first
 * one in the file itself, never in its log. Does nothing while another process has locked the file, or if the file
 * cannot be written. The caller has set the wait for locks to 0.
 */
export function countStart(connection: Connection, random: Random): void {
  const { db } = connection
  try {
    if (readCount(connection) === 0 && leaveLog(connection) !== 'delete') return
    db.run('BEGIN IMMEDIATE')
    const count = readCount(connection)
    writeCount(connection, count === 0 ? 1 + Math.floor(random.fraction() * FIRST_COUNTS) : count + 1)
    db.run('COMMIT')
    db.run('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // The count is a precaution. If the file cannot be written, the first write says so.
    if (db.inTransaction) db.run('ROLLBACK')
  }
}

const leaveLog = ({ statements }: Connection) => statements.read('PRAGMA journal_mode = DELETE', [])[0]?.[0]

/** Returns true when the write-ahead log beside the file belongs to another file, or to another state of this file. */
export function hasForeignLog(path: string): boolean {
  // A running server may empty the log between the two reads. The next attempt then finds that log and file match.
  for (let attempt = 0; attempt < 3; attempt++) {
    const logged = withFile(`${path}-wal`, countsInLog)
    const count = logged && withFile(path, (file) => numberAt(file, COUNT))
    if (logged === undefined || count === undefined) return false
    if (logged.first - 1 <= count && count <= logged.last) return false
  }
  return true
}

/** The offset of the count in the first page of a file. https://www.sqlite.org/fileformat.html#the_database_header */
const COUNT = 60
/** The lengths of the header of a log, and of the header of each frame, in bytes. */
const LOG_HEADER = 32
const FRAME_HEADER = 24

/**
 * Returns the first and last count in a write-ahead log, from its frames of page 1; undefined when there is no such
 * frame. https://www.sqlite.org/fileformat.html#the_write_ahead_log
 */
function countsInLog(log: number): { first: number; last: number } | undefined {
  const pageSize = numberAt(log, 8)
  const salts = [numberAt(log, 16), numberAt(log, 20)]
  if (pageSize === undefined || salts[1] === undefined) return undefined
  let found: { first: number; last: number } | undefined
  for (let frame = LOG_HEADER; ; frame += FRAME_HEADER + pageSize) {
    // After the last frame there may be frames of an earlier log, with other salts.
    if (numberAt(log, frame + 8) !== salts[0] || numberAt(log, frame + 12) !== salts[1]) return found
    if (numberAt(log, frame) !== 1) continue
    const count = numberAt(log, frame + FRAME_HEADER + COUNT)
    if (count !== undefined) found = { first: found?.first ?? count, last: count }
  }
}

function numberAt(file: number, position: number): number | undefined {
  const bytes = Buffer.alloc(4)
  return readSync(file, bytes, 0, 4, position) === 4 ? bytes.readUInt32BE() : undefined
}

/** Calls `read` with the opened file. Returns undefined when the file is missing, or cannot be read. */
function withFile<T>(path: string, read: (file: number) => T): T | undefined {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    return read(file)
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
