import * as p from 'drizzle-orm/pg-core'
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

/** The one cast of the storage layer: PostgreSQL's columns pass for SQLite's, since every kind has the same JavaScript type. */
export const postgresqlColumns = {
  table: p.pgTable,
  id: (name: string) => p.bigint(name, { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
  text: (name: string) => p.text(name),
  int: (name: string) => p.bigint(name, { mode: 'number' }),
  bool: (name: string) => p.boolean(name),
  index: p.index,
  uniqueIndex: p.uniqueIndex,
  primaryKey: p.primaryKey,
} as unknown as Columns
