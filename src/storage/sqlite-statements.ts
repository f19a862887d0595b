import type { Connection } from './sqlite-file.ts'
import type { Result } from './store.ts'

/**
 * The most prepared statements of a connection. When there are more, all are freed. Keyward has far fewer, except for
 * statements with a list of values, which differ for each length of the list.
 */
const KEPT = 512

/** Runs statements on one connection. Caches prepared statements, so that SQLite plans each SQL text only once. */
export interface SqliteStatements {
  /** Runs any statement. `changes` of the result is set only for a statement that returns no rows. */
  run(sql: string, params: unknown[]): Result
  /** Returns the rows of a SELECT or PRAGMA; none for a statement such as BEGIN. */
  read(sql: string, params: unknown[]): unknown[][]
  /** Frees all cached statements. */
  clear(): void
}

type Database = Connection['db']
type Statement = ReturnType<Database['prepare']>
type Bindings = Parameters<Statement['values']>

interface Kept {
  statement: Statement
  /** True when the statement returns rows. A statement without rows runs faster, because Bun makes no array of rows. */
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
