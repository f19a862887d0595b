import type { Connection, FileOptions } from './sqlite-file.ts'

/**
 * Makes a function that says whether the next commits of `writer` wait for the disk. A commit that waits also brings
 * all earlier commits to the disk. Waiting for the disk twice was a quarter of the CPU time that limits add to a login.
 *
 * With `synchronous: 'NORMAL'` no commit waits, and the function does nothing. Call the function outside transactions.
 */
export function createFlush({ db }: Connection, synchronous: FileOptions['synchronous']): (flush: boolean) => void {
  let flushes = true
  return (flush) => {
    if (synchronous === 'NORMAL' || flush === flushes) return
    // SQLite runs this PRAGMA while it prepares it, so a prepared statement would have an effect only once.
    db.run(`PRAGMA synchronous = ${flush ? 'FULL' : 'NORMAL'}`)
    flushes = flush
  }
}
