import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/random.ts'
import { asRefusal, type Connection, closeConnection, isBusy, setWait } from './sqlite-file.ts'
import { createSnapshot } from './sqlite-snapshot.ts'
import { databaseUnavailable } from './transaction.ts'

export interface Reads {
  /**
   * Returns the rows at once; undefined while another process has locked the file.
   * @throws KeywardError `database_unavailable`, or the error of SQLite for a fault of the statement
   */
  tryRead(sql: string, params: unknown[]): unknown[][] | undefined
  /**
   * Returns the rows. Repeats the read while another process has locked the file.
   * @throws KeywardError `database_busy` after `patience`, or `database_unavailable`
   * @throws the error of SQLite for a fault of the statement
   */
  read(sql: string, params: unknown[]): Promise<unknown[][]>
  /** Returns a connection that sees only committed rows. For `:memory:`, returns the writer, which sees all rows. */
  connection(): Connection
  /** Ends the snapshot that the reads of a turn of the event loop share. Call `endSnapshot` before each write. */
  endSnapshot(): void
  close(): void
}

/**
 * Reads an SQLite file through the connection that also writes to the file. While a batch of writes is open, a second
 * connection reads the committed rows. The second connection does not serve all reads, because each commit of the
 * writing connection empties the page cache of the second connection.
 */
export function createReads(deps: {
  writer: Connection
  openReader: () => Connection
  /** How long `read` waits for another process that has locked the file, in milliseconds. */
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
