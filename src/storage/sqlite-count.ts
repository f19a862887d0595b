import { closeSync, openSync, readSync } from 'node:fs'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import type { Connection } from './sqlite-file.ts'

/*
 * SQLite applies a write-ahead log to the database file beside the log, even if that file was replaced. After a crash,
 * the log that remains could undo the restore of a backup, or damage the restored file. Therefore Keyward stores a
 * count in the header of the file (SQLite's "user version"), and raises the count at each start and while Keyward
 * writes.
 *
 * A log belongs to the file if the file's count is one of the counts in the log, or one less than the first count in
 * the log. A copy from before the last checkpoint has a lower count. Another database most likely has a very different
 * count. A copy that was made after the last checkpoint, about a minute before the crash or later, is not detected.
 */

/** The shortest time between two raises of the count, in milliseconds. Each raise writes an additional page. */
const STEP = 1_000

/** The first count of a file is random, up to this number. From there to SQLite's maximum, 2^31 - 1, are 59 years. */
const FIRST_COUNTS = 2 ** 28

const readCount = ({ statements }: Connection): number => Number(statements.read('PRAGMA user_version', [])[0]?.[0])

/** Call `writeCount` in a transaction, so that the count is committed together with the transaction's other changes. */
const writeCount = ({ db }: Connection, count: number): void => void db.run(`PRAGMA user_version = ${count}`)

/**
 * Returns a function that raises the count, at most once in `STEP`, and only when rows have changed since the last
 * raise. Call the function at the end of each transaction, before the commit.
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
    // The count is 0 in a file of an earlier version for which `countStart` could not write the first count.
    if (count > 0) writeCount(writer, count + 1)
  }
}

/**
 * Raises the count at a start, so that a copy of the file from before the start is detected. A file without a count
 * gets its first count in the file itself, never only in the log. Does nothing while another process has locked the
 * file, or when the file cannot be written. Call `setWait` with 0 before, so that `countStart` waits for no lock.
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
    // The count is only a precaution. If the file cannot be written, the first other write reports the error.
    if (db.inTransaction) db.run('ROLLBACK')
  }
}

const leaveLog = ({ statements }: Connection) => statements.read('PRAGMA journal_mode = DELETE', [])[0]?.[0]

/** Returns true when the write-ahead log beside the file belongs to another file, or to another copy of this file. */
export function hasForeignLog(path: string): boolean {
  // A running server may empty the log between the two reads, so that log and file seem not to match. A further attempt
  // then finds that they match.
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
/** The length of the header of a log, in bytes. Frames follow, each with a header and a page. */
const LOG_HEADER = 32
/** The length of the header of a frame, in bytes. */
const FRAME_HEADER = 24

/**
 * Returns the first and the last count in a write-ahead log, read from the log's frames of page 1; undefined when the
 * log has no frame of page 1. https://www.sqlite.org/fileformat.html#the_write_ahead_log
 */
function countsInLog(log: number): { first: number; last: number } | undefined {
  const pageSize = numberAt(log, 8)
  const salts = [numberAt(log, 16), numberAt(log, 20)]
  if (pageSize === undefined || salts[1] === undefined) return undefined
  let found: { first: number; last: number } | undefined
  for (let frame = LOG_HEADER; ; frame += FRAME_HEADER + pageSize) {
    // Frames with other salts remain from an earlier use of the log file and no longer count.
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
