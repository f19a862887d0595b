/** An error and its causes: Drizzle wraps the driver's errors. */
export function* causes(error: unknown): Generator<Record<string, unknown> & { message: string }> {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    yield at as unknown as Record<string, unknown> & { message: string }
}

/**
 * The unique index or primary key that a failed write violated.
 * @returns `table.column`, with the first of several columns; undefined for any other error
 */
export function violatedUnique(error: unknown): string | undefined {
  for (const { code, errno, message, table, constraint, detail } of causes(error)) {
    if (/^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID)$/.test(String(code)))
      return /constraint failed: (\w+\.\w+)/.exec(message)?.[1]
    if (errno !== '23505') continue
    // "Key (email_key)=(…) already exists.", in the server's language; missing without permission to read the row.
    const column = /^\D*?\((\w+)[^()]*\)=\(/.exec(String(detail))?.[1]
    const named = String(constraint).slice(String(table).length + 1)
    return `${table}.${column ?? named.replace(/_unique$/, '')}`
  }
}

/** Whether a failed write referred to a row that does not exist. */
export function violatedForeignKey(error: unknown): boolean {
  for (const { code, errno } of causes(error))
    if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY' || errno === '23503') return true
  return false
}
