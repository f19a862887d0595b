import { type Placeholder, type SQL, sql } from 'drizzle-orm'

/**
 * A placeholder wrapped in CAST. SQLite re-plans a statement when a bare parameter is bound in LIMIT, or in an equality of a
 * statement that joins tables or finds several rows; that takes ten times what the statement itself does. The cast prevents it.
 */
export const castPlaceholder = (name: string, type: 'text' | 'bigint'): SQL =>
  sql`cast(${sql.placeholder(name)} as ${sql.raw(type)})`

/** For `.limit()`: a placeholder's name, or a number. Drizzle takes an expression there and declares it as a placeholder. */
export const limitTo = (rows: string | number): Placeholder =>
  (typeof rows === 'string' ? castPlaceholder(rows, 'bigint') : sql.raw(String(rows))) as unknown as Placeholder
