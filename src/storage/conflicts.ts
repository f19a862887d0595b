/** Yields `error` and the chain of its `cause`s, five errors at most. Drizzle puts the driver's error into `cause`. */
export function* causes(error: unknown): Generator<Record<string, unknown> & { message: string }> {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    yield at as unknown as Record<string, unknown> & { message: string }
}

/**
 * Finds the unique index or primary key that a failed write violated.
 * @returns `table.column`, where `column` is the first column of the index; `table.pkey` for a primary key whose column
 * PostgreSQL does not name; undefined for any other error
 */
export function violatedUnique(error: unknown): string | undefined {
  for (const { code, errno, message, table, constraint, detail } of causes(error)) {
    if (/^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY|ROWID)$/.test(String(code)))
      return /constraint failed: (\w+\.\w+)/.exec(message)?.[1]
    if (errno !== '23505') continue
    // `detail` is "Key (email_key)=(…) already exists." in the server's language. PostgreSQL omits `detail` when the
    // database user may not read the row. In this case the name of the index, `users_email_key_unique`, has the column.
    const column = /^\D*?\((\w+)[^()]*\)=\(/.exec(String(detail))?.[1]
    const named = String(constraint).slice(String(table).length + 1)
    return `${table}.${column ?? named.replace(/_unique$/, '')}`
  }
}

/** Returns true for the error of a write that violated a foreign key: a row refers to a row that does not exist. */
export function violatedForeignKey(error: unknown): boolean {
  for (const { code, errno } of causes(error))
    if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY' || errno === '23503') return true
  return false
}
