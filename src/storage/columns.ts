import * as s from 'drizzle-orm/sqlite-core'

/**
 * The column kinds for SQLite. Tables and queries are declared with these types for both databases. In every table, a
 * time is an integer of epoch milliseconds, bytes are base64url text, and structures are JSON text.
 */
export const sqliteColumns = {
  table: s.sqliteTable,
  /** A positive integer that is never reused. */
  id: (name: string) => s.integer(name).primaryKey({ autoIncrement: true }),
  text: (name: string) => s.text(name),
  /** A text whose order is that of its UTF-8 bytes, so that an index finds all texts that begin with another text. */
  sortedText: (name: string) => s.text(name),
  int: (name: string) => s.integer(name),
  bool: (name: string) => s.integer(name, { mode: 'boolean' }),
  index: s.index,
  uniqueIndex: s.uniqueIndex,
  primaryKey: s.primaryKey,
}

export type Columns = typeof sqliteColumns
