/** The parsed address of a database. `shown` is for printing and logs: asterisks replace the password in it. */
export type DatabaseTarget =
  | { dialect: 'sqlite'; path: string; shown: string }
  | { dialect: 'postgresql'; url: string; shown: string }

/**
 * Parses a `DATABASE_URL` in the spellings of SQLAlchemy and libpq; `undefined` for anything else.
 *
 * SQLite: `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite::memory:`, also as `sqlite+aiosqlite:` or
 * `sqlite+pysqlite:`. `path` is relative to the working directory, or `:memory:`. The query is dropped, because it
 * contains arguments of Python's driver.
 * PostgreSQL: `postgres://` and `postgresql://`, also with `+psycopg`, `+psycopg2` or `+asyncpg`. `url` always begins
 * with `postgresql://`. A reserved character in the password must be percent-encoded.
 */
export function parseDatabaseUrl(text: string): DatabaseTarget | undefined {
  const [, memory, file] =
    /^sqlite(?:\+(?:aiosqlite|pysqlite))?:(?:(:memory:)|\/\/\/(?!file:)([^?]*[^?/]))(?:\?.*)?$/i.exec(text) ?? []
  const path = memory ?? file
  if (path !== undefined) return { dialect: 'sqlite', path, shown: text }
  const [, address] = /^postgres(?:ql)?(?:\+(?:psycopg2?|asyncpg))?:\/\/(\S+)$/i.exec(text) ?? []
  return address === undefined ? undefined : postgresql(`postgresql://${address}`)
}

/** Returns `DatabaseTarget.shown` of a database address. For any other text, returns its scheme and asterisks. */
export const maskDatabaseUrl = (text: string): string =>
  parseDatabaseUrl(text)?.shown ?? `${/^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0] ?? ''}********`

function postgresql(text: string): DatabaseTarget | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  // A raw "/", "?" or "#" in a password ends the authority early. The rest of the password, up to the "@", would become
  // a path or a query and be logged.
  if (`${url.pathname}${url.search}`.includes('@') || text.includes('#')) return undefined
  try {
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part)
  } catch {
    return undefined
  }
  if (url.password !== '') url.password = '********'
  for (const name of new Set(url.searchParams.keys()))
    if (/password|passwd|secret/i.test(name)) url.searchParams.set(name, '********')
  return { dialect: 'postgresql', url: text, shown: url.href }
}
