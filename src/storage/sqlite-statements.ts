import type { Connection } from './sqlite-file.ts'
import type { Result } from './store.ts'

/** The most statements that a connection keeps. Keyward has far fewer; only lists of varying length make more. */
const KEPT = 512

/** Runs statements on one connection. Prepared statements are kept, so SQLite parses and plans each text only once. */
export interface SqliteStatements {
  /** Runs any statement. Returns its rows, or the number of changed rows if the statement does not return rows. */
  run(sql: string, params: unknown[]): Result
  /** Returns the rows of a SELECT or PRAGMA; none for a statement such as BEGIN. */
  read(sql: string, params: unknown[]): unknown[][]
  /** Frees the kept statements. */
  clear(): void
}

type Database = Connection['db']
type Statement = ReturnType<Database['prepare']>
type Bindings = Parameters<Statement['values']>

interface Kept {
  statement: Statement
  /** True when the statement returns rows. For any other statement Bun need not make an array of rows. */
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
