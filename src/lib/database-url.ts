export type DatabaseTarget = { dialect: 'sqlite'; path: string } | { dialect: 'postgresql'; url: string }

/**
 * Reads a `DATABASE_URL` in the spellings of SQLAlchemy and libpq; `undefined` for anything else.
 *
 * SQLite: `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite::memory:`, also as `sqlite+aiosqlite:` or
 * `sqlite+pysqlite:`. `path` is relative to the working directory, or `:memory:`. What follows a `?` are arguments of
 * Python's driver and is dropped.
 * PostgreSQL: `postgres://` and `postgresql://`, also with `+psycopg`, `+psycopg2` or `+asyncpg`. `url` always begins
 * with `postgresql://`. A reserved character in the password must be percent-encoded.
 */
export function parseDatabaseUrl(text: string): DatabaseTarget | undefined {
  const sqlite = /^sqlite(?:\+(?:aiosqlite|pysqlite))?:(?:(:memory:)|\/\/\/([^?]+))(?:\?.*)?$/i.exec(text)
  if (sqlite) return sqlitePath(sqlite[1] ?? sqlite[2] ?? '')
  const postgresql = /^postgres(?:ql)?(?:\+(?:psycopg2?|asyncpg))?:\/\/(\S+)$/i.exec(text)
  return postgresql ? postgresqlUrl(`postgresql://${postgresql[1]}`) : undefined
}

/** For printing and logs: the address without its password. A text that is no database address shows its scheme only. */
export function maskDatabaseUrl(text: string): string {
  const parsed = parseDatabaseUrl(text)
  if (parsed === undefined) return `${/^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0] ?? ''}********`
  if (parsed.dialect === 'sqlite') return text
  const url = new URL(parsed.url)
  if (url.password !== '') url.password = '********'
  for (const name of new Set(url.searchParams.keys()))
    if (/password|passwd|secret/i.test(name)) url.searchParams.set(name, '********')
  return url.href
}

function sqlitePath(path: string): DatabaseTarget | undefined {
  if (path.startsWith('file:') || path.endsWith('/')) return undefined
  return { dialect: 'sqlite', path }
}

function postgresqlUrl(text: string): DatabaseTarget | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  // A raw "/", "?" or "#" in a password ends the authority early: the rest of it, up to the "@", would become a path
  // or a query and be logged as one.
  if (`${url.pathname}${url.search}`.includes('@') || text.includes('#')) return undefined
  try {
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part)
  } catch {
    return undefined
  }
  return { dialect: 'postgresql', url: text }
}
