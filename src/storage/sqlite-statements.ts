import type { Connection } from './sqlite-file.ts'
import type { Result } from './store.ts'

/** How many texts a connection keeps. The service's own are far fewer; the rest come from lists of varying length. */
const KEPT = 512

/** Runs statements on one connection. Each prepared statement is kept by its text, so SQLite parses and plans it once. */
export interface SqliteStatements {
  /** Runs any statement. Returns its rows, or how many rows it changed if it returns none. */
  run(sql: string, params: unknown[]): Result
  /** The rows of a SELECT. */
  read(sql: string, params: unknown[]): unknown[][]
  /** Frees the kept statements. */
  clear(): void
}

type Database = Connection['db']
type Statement = ReturnType<Database['prepare']>
type Bindings = Parameters<Statement['values']>

interface Kept {
  statement: Statement
  /** Whether it returns rows. One that does not is run without the array that Bun makes of them. */
  returnsRows: boolean
}

export function createStatements(db: Database): SqliteStatements {
  const kept = new Map<string, Kept>()

  function prepare(sql: string): Kept {
    const known = kept.get(sql)
    if (known) return known
    if (kept.size >= KEPT) clear()
    const statement = db.prepare(sql)
    const fresh = { statement, returnsRows: statement.columnNames.length > 0 }
    kept.set(sql, fresh)
    return fresh
  }

  function clear(): void {
    for (const { statement } of kept.values()) statement.finalize()
    kept.clear()
  }

  return {
    run(sql, params) {
      const { statement, returnsRows } = prepare(sql)
      const bindings = params as Bindings
      return returnsRows
        ? { rows: statement.values(...bindings) as unknown[][], changes: 0 }
        : { rows: [], changes: statement.run(...bindings).changes }
    },
    read: (sql, params) => prepare(sql).statement.values(...(params as Bindings)) as unknown[][],
    clear,
  }
}
