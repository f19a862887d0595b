import { type Placeholder, type SQL, sql } from 'drizzle-orm'

/**
 * Returns a placeholder inside a CAST. SQLite otherwise plans a statement again at each run if a parameter stands in
 * LIMIT, or in an equality of a statement that joins tables or finds several rows. Planning takes ten times as long as
 * running the statement.
 */
export const castPlaceholder = (name: string, type: 'text' | 'bigint'): SQL =>
  sql`cast(${sql.placeholder(name)} as ${sql.raw(type)})`

/**
 * Returns the argument of Drizzle's `.limit()`. At run time, `.limit()` accepts any SQL expression, but its declared
 * type allows only a number or a placeholder.
 * @param rows the number of rows, or the name of the placeholder that gets the number
 */
export const limitTo = (rows: string | number): Placeholder =>
  (typeof rows === 'string' ? castPlaceholder(rows, 'bigint') : sql.raw(String(rows))) as unknown as Placeholder
