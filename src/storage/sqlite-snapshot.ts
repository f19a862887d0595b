import { nextTurn } from '../lib/clock.ts'
import { type Connection, control } from './sqlite-file.ts'

export interface Snapshot {
  /** Begins the snapshot of this turn of the event loop. Does nothing if a snapshot or a batch of writes is open. */
  begin(): void
  /** Ends the snapshot. Call `end` before each write, and before each read that waits for a lock. */
  end(): void
  isOpen(): boolean
}

/**
 * Makes the reads of one turn of the event loop share a snapshot, which is a read transaction. Otherwise the locks that
 * SQLite takes for each read would cost as much as the read itself. The snapshot ends before the next requests are
 * received, and before this process writes. Thus every request sees all commits from before the request arrived.
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
    // After some errors SQLite itself has ended the transaction.
    if (connection.db.inTransaction) control(connection, 'COMMIT')
  }

  return { begin, end, isOpen: () => open }
}
