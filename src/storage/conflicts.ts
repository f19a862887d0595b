/**
 * Which unique index a failed write ran into, as `table.column`, or undefined for any other error. SQLite names the
 * column in its message, PostgreSQL the index, which is called `<table>_<column>_unique`; Drizzle may have wrapped either.
 */
export function violatedUnique(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code, errno, table, constraint } = at as unknown as Record<string, unknown>
    if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
      return /constraint failed: (\w+\.\w+)/.exec(at.message)?.[1]
    if (errno === '23505' && typeof table === 'string' && typeof constraint === 'string')
      return `${table}.${constraint.slice(table.length + 1).replace(/_unique$/, '')}`
  }
}

/** Whether a failed write named a row that is not there (any more). */
export function violatedForeignKey(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code, errno } = at as unknown as Record<string, unknown>
    if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY' || errno === '23503') return true
  }
  return false
}
