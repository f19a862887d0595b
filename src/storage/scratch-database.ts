import { Database } from 'bun:sqlite'

/**
 * A database for the intermediate results of one command. It is in a temporary file that nobody else can open and that
 * is gone when the process ends, so its size does not count as memory. All its tables must be TEMP tables.
 */
export interface ScratchDatabase {
  run(sql: string): void
  /** Prepares a statement; `close` ends it. */
  prepare(sql: string): ScratchStatement
  close(): void
}

export interface ScratchStatement {
  run(...values: ScratchValue[]): void
  all(...values: ScratchValue[]): unknown[][]
  /** Reads row after row. Do not run the statement again before the last row. */
  each(...values: ScratchValue[]): IterableIterator<unknown[]>
}

export type ScratchValue = string | number | null

/** The most KiB of the file that are kept in memory. */
const CACHE = 8_192

/** @throws the error of SQLite when no folder for temporary files is writable; SQLITE_TMPDIR and TMPDIR name one */
export function openScratch(): ScratchDatabase {
  const db = new Database(':memory:')
  db.run('PRAGMA temp_store = FILE')
  db.run(`PRAGMA temp.cache_size = -${CACHE}`)
  db.run('PRAGMA temp.journal_mode = OFF')
  const open: Disposable[] = []
  return {
    run: (sql) => void db.run(sql),
    prepare(sql) {
      const statement = db.prepare(sql)
      open.push({ [Symbol.dispose]: () => statement.finalize() })
      return {
        run: (...values) => void statement.run(...values),
        all: (...values) => statement.values(...values),
        *each(...values) {
          for (const row of statement.iterate(...values)) yield Object.values(row as object)
        },
      }
    },
    close() {
      for (const statement of open) statement[Symbol.dispose]()
      db.close()
    },
  }
}
