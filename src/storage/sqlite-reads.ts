import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { asRefusal, type Connection, closeConnection, isBusy, setWait } from './sqlite-file.ts'
import { createSnapshot } from './sqlite-snapshot.ts'
import { databaseUnavailable } from './transaction.ts'

export interface Reads {
  /** The rows at once; undefined while another process holds the file. */
  tryRead(sql: string, params: unknown[]): unknown[][] | undefined
  /**
   * Waits, outside SQLite, while another process holds the file.
   * @throws KeywardError `database_busy` after `patience`
   */
  read(sql: string, params: unknown[]): Promise<unknown[][]>
  /** A connection that sees only what is committed. */
  connection(): Connection
  /** Must come before each write; see `sqlite-snapshot.ts`. */
  endSnapshot(): void
  close(): void
}

/**
 * Reads an SQLite file through the connection that also writes it. While a batch of writes is open, a second connection reads
 * what is committed; it is opened when it is first needed. It does not serve all reads, since a commit of one connection
 * empties the page cache of every other.
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
  const snapshot = createSnapshot(writer)
  let closed = false

  function connection(): Connection {
    if (snapshot.isOpen() || !writer.db.inTransaction) return writer
    if (!second) {
      second = openReader()
      setWait(second, 0)
    }
    return second
  }

  return {
    tryRead(sql, params) {
      if (closed) throw databaseUnavailable()
      try {
        snapshot.begin()
        return connection().statements.read(sql, params)
      } catch (error) {
        snapshot.end()
        if (isBusy(error)) return undefined
        throw asRefusal(error)
      }
    },
    async read(sql, params) {
      snapshot.end()
      if (closed) throw databaseUnavailable()
      const deadline = clock.monotonic() + patience
      for (;;) {
        try {
          return connection().statements.read(sql, params)
        } catch (error) {
          if (!isBusy(error) || clock.monotonic() >= deadline) throw asRefusal(error)
          await clock.sleep(2 + random.fraction() * 18)
        }
      }
    },
    connection,
    endSnapshot: snapshot.end,
    close() {
      closed = true
      snapshot.end()
      if (second && second !== writer) closeConnection(second)
    },
  }
}
