/** The parsed address of a database in PostgreSQL. */
export interface PostgresAddress {
  /** The address for the driver. It always begins with `postgresql://`, and has only parameters of `obeyed`. */
  url: string
  /** The address for printing and logs, with asterisks for the passwords. */
  shown: string
  /** The host to connect to; undefined for a Unix socket. */
  host: string | undefined
  /**
   * The name of the database; undefined if the address has none. `url` contains the name too, but the driver prefers
   * the environment variable PGDATABASE to that one.
   */
  database: string | undefined
  /** The paths of the files with certificates and their key. */
  files: string[]
}

/**
 * The reason why an address is refused. `clause` follows the address in a sentence, and never contains the value of a
 * parameter.
 */
export class AddressProblem {
  constructor(readonly clause: string) {}
}

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/** Returns true for a value that the parameter may have. */
type Check = (value: string) => boolean
const anything: Check = () => true
const filled: Check = (value) => value !== ''
const oneOf =
  (...values: string[]): Check =>
  (value) =>
    values.includes(value.toLowerCase())

/** The parameters that are passed to the driver, because the driver or the server obeys them. */
const obeyed: Readonly<Record<string, Check>> = {
  sslmode: oneOf(...sslModes),
  // The name of `sslmode` in asyncpg.
  ssl: oneOf('true', '1', 'false', '0', ...sslModes),
  sslrootcert: filled,
  sslcert: filled,
  sslkey: filled,
  sslpassword: filled,
  channel_binding: oneOf('disable', 'prefer', 'require'),
  host: filled,
  path: filled,
  port: (value) => /^[1-9]\d{0,4}$/.test(value) && Number(value) < 65_536,
  user: filled,
  password: filled,
  dbname: filled,
  prepare: oneOf('true', '1', 'false', '0'),
  // From here on, settings of the server. `options` can contain any other setting, as `-cname=value`.
  options: filled,
  search_path: filled,
  role: filled,
  timezone: filled,
  datestyle: filled,
  lock_timeout: filled,
  idle_session_timeout: filled,
  default_transaction_read_only: filled,
  default_transaction_isolation: filled,
  default_tablespace: filled,
  synchronous_commit: filled,
  work_mem: filled,
  jit: filled,
}

/** Parameters of libpq, psycopg and asyncpg that change nothing for Keyward when their value passes the check. */
const without: Readonly<Record<string, Check>> = {
  application_name: anything,
  fallback_application_name: anything,
  client_encoding: oneOf('utf8', 'utf-8', 'auto'),
  connect_timeout: anything,
  command_timeout: anything,
  timeout: anything,
  async_fallback: anything,
  keepalives: anything,
  keepalives_idle: anything,
  keepalives_interval: anything,
  keepalives_count: anything,
  tcp_user_timeout: anything,
  target_session_attrs: oneOf('any', 'read-write', 'primary'),
  load_balance_hosts: anything,
  gssencmode: oneOf('disable', 'prefer'),
  sslcompression: anything,
  sslnegotiation: oneOf('postgres'),
  sslsni: anything,
}

/** Parameters of other drivers that turn off prepared statements, for a pooler. They become `prepare=false`. */
const unprepared: Readonly<Record<string, Check>> = {
  pgbouncer: oneOf('true'),
  statement_cache_size: oneOf('0'),
  prepared_statement_cache_size: oneOf('0'),
}

/**
 * Reads an address in the spellings of libpq, psycopg, asyncpg and SQLAlchemy.
 * @param address the text after `postgresql://`
 * @returns an `AddressProblem` for an address that Keyward cannot use; undefined for text that is no such address, of
 * which nothing may be shown, because a password may be anywhere in it
 */
export function readPostgresUrl(address: string): PostgresAddress | AddressProblem | undefined {
  const [, credentials = '', hosts = '', rest = ''] = /^([^/?#]*@)?([^/?#]*)(.*)$/.exec(address) ?? []
  if (hosts.includes(',')) return severalHosts
  // libpq accepts an address without a host. The URL standard does not when the address has a user or a port.
  const bare = hosts === '' || hosts.startsWith(':')
  const text = `postgresql://${credentials}${bare && credentials + hosts !== '' ? 'localhost' : ''}${hosts}${rest}`
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  // A raw "/", "?" or "#" in a password ends the authority early. The rest of the password, up to the "@", would become
  // a path or a query and be logged.
  if (`${url.pathname}${url.search}`.includes('@') || text.includes('#')) return undefined
  const decoded = decodeAll([url.username, url.password, url.pathname, url.hostname])
  if (decoded === undefined) return undefined
  const problem = problemOf(url.searchParams)
  if (problem !== undefined) return problem
  const host = url.searchParams.get('path') ?? url.searchParams.get('host') ?? (decoded[3]! || 'localhost')
  return {
    url: forDriver(text),
    shown: masked(url),
    host: host.startsWith('/') ? undefined : host.replace(/^\[|\]$/g, ''),
    files: ['sslrootcert', 'sslcert', 'sslkey']
      .map((name) => url.searchParams.get(name))
      .filter((path): path is string => path !== null && path !== 'system'),
    database: url.searchParams.get('dbname') ?? (decoded[2]!.slice(1) || undefined),
  }
}

const severalHosts = new AddressProblem(
  'with several hosts; Keyward takes one, which may be a proxy that leads to the primary',
)

function problemOf(query: URLSearchParams): AddressProblem | undefined {
  const names = [...query.keys()]
  // After a raw "&" in a password, the rest of the password looks like the name of a parameter.
  const hidden = names.some((name) => isSecret(name))
  for (const name of names) {
    const values = query.getAll(name)
    const key = name.toLowerCase()
    const check = obeyed[key] ?? without[key] ?? unprepared[key]
    const shown = hidden && !check ? 'a parameter' : `the parameter ${JSON.stringify(name.slice(0, 40))}`
    if (!check) return new AddressProblem(`with ${shown}, which Keyward does not take`)
    if (key === 'host' && (values.length > 1 || values[0]!.includes(','))) return severalHosts
    if (values.length > 1) return new AddressProblem(`with ${shown} given twice`)
    if (!check(values[0]!))
      return new AddressProblem(`with a value of ${shown} that Keyward does not take${takes[key] ?? ''}`)
  }
}

const takes: Readonly<Record<string, string>> = { sslmode: ` (it takes ${sslModes.join(', ')})` }

/**
 * Removes the parameters that are not in `obeyed`. The driver would send them to the server, which refuses parameters
 * that it does not know.
 */
function forDriver(text: string): string {
  const [, front = '', query] = /^([^?]*)(?:\?(.*))?$/s.exec(text) ?? []
  if (query === undefined) return text
  const parts = query.split('&').filter((part) => {
    const [name = ''] = new URLSearchParams(part).keys()
    return name.toLowerCase() in obeyed
  })
  const names = [...new URLSearchParams(query).keys()].map((name) => name.toLowerCase())
  if (names.some((name) => name in unprepared) && !names.includes('prepare')) parts.push('prepare=false')
  return parts.length > 0 ? `${front}?${parts.join('&')}` : front
}

const isSecret = (name: string): boolean => /password|passwd|secret/i.test(name)

function masked(url: URL): string {
  const shown = new URL(url)
  if (shown.password !== '') shown.password = '********'
  for (const name of new Set(shown.searchParams.keys())) if (isSecret(name)) shown.searchParams.set(name, '********')
  return shown.href
}

function decodeAll(parts: string[]): string[] | undefined {
  try {
    return parts.map(decodeURIComponent)
  } catch {
    return undefined
  }
}
