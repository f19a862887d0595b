import type { PostgresAddress } from './postgres-url.ts'

/** Parameters of a `DATABASE_URL` that `pg_dump` and `pg_restore` take too. */
const SHARED = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'channel_binding', 'host', 'port', 'user', 'dbname']

/** The values of asyncpg's parameter `ssl` that `sslmode` has under another name. */
const SSL: Readonly<Record<string, string>> = { true: 'require', 1: 'require', false: 'disable', 0: 'disable' }

/** The address of a database for `--dbname` of PostgreSQL's programs, without the passwords. */
export function addressForTools({ url: text }: PostgresAddress): string {
  const url = new URL(text)
  const given = [...url.searchParams]
  url.password = ''
  url.search = ''
  for (const [name, value] of given) {
    const key = name.toLowerCase()
    if (SHARED.includes(key)) url.searchParams.set(key, value)
    else if (key === 'ssl') url.searchParams.set('sslmode', SSL[value.toLowerCase()] ?? value)
    else if (key === 'path') url.searchParams.set('host', value)
  }
  // Without a host, Keyward takes localhost, and libpq a Unix socket.
  if (url.hostname === '' && !url.searchParams.has('host')) url.hostname = 'localhost'
  // libpq decodes only percent-encoding, and would keep a "+" as it is.
  url.search = url.search.replaceAll('+', '%20')
  return url.href
}

/** The command line that writes a dump of a database to `file`. It has no password. */
export const dumpLine = (address: PostgresAddress, file: string): string =>
  ['pg_dump', '--format=custom', `--file=${quoted(file)}`, `--dbname=${quoted(addressForTools(address))}`].join(' ')

/** The command line that replaces the tables of a database by those of the dump `file`, all or nothing. */
export const restoreLine = (address: PostgresAddress, file: string): string =>
  [
    'pg_restore --clean --if-exists --exit-on-error --single-transaction',
    `--dbname=${quoted(addressForTools(address))}`,
    quoted(file),
  ].join(' ')

/** Quotes a word for a POSIX shell, unless it needs no quotes. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
