/** The parsed address of a PostgreSQL database. */
export interface PostgresAddress {
  /** The address for the driver. It begins with `postgresql://`, and has only parameters that are in `obeyed`. */
  url: string
  /** The address for printing and logs, with asterisks for the passwords. */
  shown: string
  /** The host to connect to; undefined for a Unix socket. */
  host: string | undefined
  /**
   * The name of the database; undefined when the address has none. The driver must get this name separately: it prefers
   * the environment variable PGDATABASE to the name in `url`.
   */
  database: string | undefined
  /** The paths of the certificate and key files that the address names. */
  files: string[]
}

/**
 * The reason why an address is refused. `clause` follows the address in a sentence, such as "with several hosts", and
 * never contains the value of a parameter.
 */
export class AddressProblem {
  constructor(readonly clause: string) {}
}

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/** Returns true for a value that Keyward accepts. */
type Check = (value: string) => boolean
const anything: Check = () => true
const filled: Check = (value) => value !== ''
const oneOf =
  (...values: string[]): Check =>
  (value) =>
    values.includes(value.toLowerCase())

/** The parameters that Keyward passes to the driver, because the driver or the server obeys them. */
const obeyed: Readonly<Record<string, Check>> = {
  sslmode: oneOf(...sslModes),
  // asyncpg's name of `sslmode`.
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
  // The following parameters are settings of the server. `options` can contain any other setting, as `-cname=value`.
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

/**
 * Parameters of libpq, psycopg and asyncpg that Keyward accepts and ignores. A value that does not pass the check would
 * need something that Keyward does not do, so it is refused.
 */
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

/**
 * Parameters of other drivers that turn off prepared statements, because a connection pooler does not support them.
 * They become `prepare=false`.
 */
const unprepared: Readonly<Record<string, Check>> = {
  pgbouncer: oneOf('true'),
  statement_cache_size: oneOf('0'),
  prepared_statement_cache_size: oneOf('0'),
}

/**
 * Reads an address in the spellings of libpq, psycopg, asyncpg and SQLAlchemy.
 * @param address the text after `postgresql://`
 * @returns an `AddressProblem` for an address that Keyward cannot use; undefined for text that is not an address. A
 * caller must show nothing of such text, because a password may be anywhere in it
 */
export function readPostgresUrl(address: string): PostgresAddress | AddressProblem | undefined {
  const [, credentials = '', hosts = '', rest = ''] = /^([^/?#]*@)?([^/?#]*)(.*)$/.exec(address) ?? []
  if (hosts.includes(',')) return severalHosts
  // libpq accepts an address without a host. The URL parser refuses such an address when it has a user or a port.
  const bare = hosts === '' || hosts.startsWith(':')
  const text = `postgresql://${credentials}${bare && credentials + hosts !== '' ? 'localhost' : ''}${hosts}${rest}`
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  // A "/", "?" or "#" in a password that is not percent-encoded ends the host part of the URL. The rest of the
  // password, up to the "@", would be read as a path or a query and be logged.
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
  // After a "&" in a password that is not percent-encoded, the rest of the password looks like the name of a parameter.
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
 * Removes the parameters that are not in `obeyed`, because the driver would send them to the server, which refuses
 * unknown parameters.
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
