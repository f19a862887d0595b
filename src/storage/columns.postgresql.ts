import * as p from 'drizzle-orm/pg-core'
import type { Columns } from './columns.ts'

/**
 * The column kinds for PostgreSQL. The cast to the types of SQLite's columns is correct, because each column kind has
 * the same JavaScript type on both databases.
 */
export const postgresqlColumns = {
  table: p.pgTable,
  id: (name: string) => p.bigint(name, { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
  text: (name: string) => p.text(name),
  // The collation of the database may have another order.
  sortedText: p.customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' }),
  int: (name: string) => p.bigint(name, { mode: 'number' }),
  bool: (name: string) => p.boolean(name),
  index: p.index,
  uniqueIndex: p.uniqueIndex,
  primaryKey: p.primaryKey,
} as unknown as Columns
