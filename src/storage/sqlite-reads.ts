import { type Clock, nextTurn } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { asRefusal, type Connection, closeConnection, control, isBusy, readRows, setWait } from './sqlite-file.ts'
import { databaseUnavailable } from './transaction.ts'

export interface Reads {
  /** The rows at once, or undefined while another process holds the file. */
  direct(sql: string, params: unknown[]): unknown[][] | undefined
  /** Waits outside SQLite for another process that holds the file. @throws KeywardError `database_busy` after `patience`. */
  withPatience(sql: string, params: unknown[]): Promise<unknown[][]>
  /** The connection that sees what is committed and nothing else. */
  connection(): Connection
  /** Must come before each write. */
  endSnapshot(): void
  close(): void
}

/**
 * What reads a SQLite file, through the connection that also writes it. A second one, opened when it is first needed, reads
 * what is committed while a batch is open; for all reads it would be slower, since a commit of one connection empties the
 * page cache of every other.
 */
export function createReads(deps: {
  writer: Connection
  openReader: () => Connection
  /** In milliseconds. */
  patience: number
  clock: Clock
  random: Random
}): Reads {
  const { writer, openReader, patience, clock, random } = deps
  let second: Connection | undefined
  let snapshot = false
  let closed = false

  function connection(): Connection {
    if (snapshot || !writer.db.inTransaction) return writer
    if (!second) {
      second = openReader()
      setWait(second, 0)
    }
    return second
  }

  /**
   * The reads of one turn of the event loop share a snapshot: to take and drop SQLite's locks for each costs as much as
   * the read itself. It ends before the next requests are received, and at once when this process writes, so that every
   * request sees what was committed before it came.
   */
  function beginSnapshot(): void {
    if (snapshot || writer.db.inTransaction) return
    control(writer, 'BEGIN')
    snapshot = true
    nextTurn().then(endSnapshot)
  }

  function endSnapshot(): void {
    if (!snapshot) return
    snapshot = false
    // After some errors SQLite has ended it already.
    if (writer.db.inTransaction) control(writer, 'COMMIT')
  }

  return {
    direct(sql, params) {
      if (closed) throw databaseUnavailable()
      try {
        beginSnapshot()
        return readRows(connection(), sql, params)
      } catch (error) {
        endSnapshot()
        if (isBusy(error)) return undefined
        throw asRefusal(error)
      }
    },
    async withPatience(sql, params) {
      endSnapshot()
      if (closed) throw databaseUnavailable()
      const deadline = clock.monotonic() + patience
      for (;;) {
        try {
          return readRows(connection(), sql, params)
        } catch (error) {
          if (!isBusy(error) || clock.monotonic() >= deadline) throw asRefusal(error)
          await clock.sleep(2 + random.fraction() * 18)
        }
      }
    },
    connection,
    endSnapshot,
    close() {
      closed = true
      endSnapshot()
      if (second && second !== writer) closeConnection(second)
    },
  }
}
