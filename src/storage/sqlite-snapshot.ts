import { nextTurn } from '../lib/clock.ts'
import { type Connection, control } from './sqlite-file.ts'

export interface Snapshot {
  /** Begins a snapshot that the reads of this turn share, unless the connection is in a transaction. */
  begin(): void
  /** Must come before each write and each read that waits. */
  end(): void
  isOpen(): boolean
}

/**
 * The reads of one turn of the event loop share a snapshot: taking and dropping SQLite's locks for each would cost as much as
 * the read itself. The snapshot ends before the next requests are received, and at once when this process writes, so that
 * every request sees what was committed before it came.
 */
export function createSnapshot(connection: Connection): Snapshot {
  let open = false

  function begin(): void {
    if (open || connection.db.inTransaction) return
    control(connection, 'BEGIN')
    open = true
    nextTurn().then(end)
  }

  function end(): void {
    if (!open) return
    open = false
    // After some errors SQLite has ended it already.
    if (connection.db.inTransaction) control(connection, 'COMMIT')
  }

  return { begin, end, isOpen: () => open }
}
