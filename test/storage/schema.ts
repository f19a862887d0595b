import type { TestStorage } from './support.ts'

/** A schema in words that both databases share. */
export interface Schema {
  /** `table.column kind`, with `?` if null is allowed; kind is text or number, which booleans are in SQLite. */
  columns: string[]
  /** `table (columns)` of every primary key and unique index. */
  unique: string[]
  /** `table (columns)` of the other indexes. */
  indexes: string[]
  /** `table.column -> table.column rule`. */
  foreignKeys: string[]
}

export const schemaOf = (storage: TestStorage): Promise<Schema> =>
  storage.store.dialect === 'sqlite' ? sqliteSchema(storage) : postgresqlSchema(storage)

function described(columns: unknown[][], indexes: unknown[][], references: unknown[][]): Schema {
  const lists = (unique: boolean) =>
    indexes.filter((row) => Boolean(row[1]) === unique).map(([table, , list]) => `${table} (${list})`)
  return {
    columns: columns
      .map(([table, column, kind, required]) => `${table}.${column} ${kind}${required ? '' : '?'}`)
      .sort(),
    unique: lists(true).sort(),
    indexes: lists(false).sort(),
    foreignKeys: references
      .map(([table, from, target, to, rule]) => `${table}.${from} -> ${target}.${to} ${rule}`)
      .sort(),
  }
}

async function sqliteSchema({ rows }: TestStorage): Promise<Schema> {
  const tables = `(SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%') t`
  const columns = await rows(
    `SELECT t.name, c.name, iif(lower(c.type) = 'text', 'text', 'number'), c."notnull" OR c.pk
    FROM ${tables}, pragma_table_info(t.name) c`,
  )
  const indexes = await rows(
    `SELECT t.name, i."unique", (SELECT group_concat(name ORDER BY seqno) FROM pragma_index_info(i.name))
    FROM ${tables}, pragma_index_list(t.name) i WHERE i.origin <> 'pk'
    UNION ALL SELECT t.name, 1, group_concat(c.name ORDER BY c.pk)
    FROM ${tables}, pragma_table_info(t.name) c WHERE c.pk > 0 GROUP BY t.name`,
  )
  const references = await rows(
    `SELECT t.name, f."from", f."table", f."to", f.on_delete FROM ${tables}, pragma_foreign_key_list(t.name) f`,
  )
  return described(columns, indexes, references)
}

async function postgresqlSchema({ rows }: TestStorage): Promise<Schema> {
  const columns = await rows(
    `SELECT table_name, column_name, CASE data_type WHEN 'text' THEN 'text' ELSE 'number' END, is_nullable = 'NO'
    FROM information_schema.columns WHERE table_schema = current_schema()`,
  )
  const indexes = await rows(
    `SELECT t.relname, i.indisunique, (SELECT string_agg(a.attname, ',' ORDER BY k.at) FROM unnest(i.indkey) WITH ORDINALITY k(num, at)
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.num)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE t.relnamespace = current_schema()::regnamespace`,
  )
  const references = await rows(
    `SELECT t.relname, a.attname, f.relname, b.attname,
      CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'a' THEN 'NO ACTION' ELSE c.confdeltype::text END
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
    JOIN pg_attribute b ON b.attrelid = f.oid AND b.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace`,
  )
  return described(columns, indexes, references)
}
