import * as s from 'drizzle-orm/sqlite-core'

/**
 * The column kinds that both databases speak, written once for each. Tables and queries are written against the
 * SQLite types and run on both: times are epoch-ms integers, bytes base64url text, structures JSON text.
 */
export const sqliteColumns = {
  table: s.sqliteTable,
  /** A positive integer that is never given twice. */
  id: (name: string) => s.integer(name).primaryKey({ autoIncrement: true }),
  text: (name: string) => s.text(name),
  int: (name: string) => s.integer(name),
  bool: (name: string) => s.integer(name, { mode: 'boolean' }),
  index: s.index,
  uniqueIndex: s.uniqueIndex,
  primaryKey: s.primaryKey,
}

export type Columns = typeof sqliteColumns
