import { describe, expect, test } from 'bun:test'
import { databaseUrlProblem, maskDatabaseUrl, parseDatabaseUrl } from '../../src/lib/database-url.ts'

describe('SQLite addresses', () => {
  test.each([
    ['sqlite:///./users.db', './users.db'],
    ['sqlite:///users.db', 'users.db'],
    ['sqlite:////var/lib/keyward/users.db', '/var/lib/keyward/users.db'],
    ['sqlite+aiosqlite:///./users.db', './users.db'],
    ['sqlite+pysqlite:////data/users.db', '/data/users.db'],
    ['SQLite:///users.db', 'users.db'],
    ['sqlite:///C:/keyward/users.db', 'C:/keyward/users.db'],
    ['sqlite:///./my users #1.db', './my users #1.db'],
    ['sqlite:///./users.db?check_same_thread=False', './users.db'],
    ['sqlite::memory:', ':memory:'],
    ['sqlite:///:memory:', ':memory:'],
    ['sqlite+aiosqlite:///:memory:', ':memory:'],
  ])('%s is the file %s', (text, path) => {
    expect(parseDatabaseUrl(text)).toEqual({ dialect: 'sqlite', path, shown: text })
  })

  test.each(['mode=ro', 'immutable=1', 'timeout=5&cache=shared', 'uri=true'])(
    '12.C4 sqlite:///users.db?%s is refused, and the parameter named',
    (query) => {
      const text = `sqlite+aiosqlite:///users.db?${query}`
      const name = /(\w+)=\w+$/.exec(query)![1]
      expect(parseDatabaseUrl(text)).toBeUndefined()
      expect(databaseUrlProblem(text)).toBe(`with the parameter "${name}", which Keyward does not take`)
    },
  )

  test.each([
    'sqlite://users.db',
    'sqlite://',
    'sqlite:///',
    'sqlite:users.db',
    'sqlite:////var/lib/',
    'sqlite:///file:users.db?mode=ro',
    'sqlite+mystery:///users.db',
    './users.db',
    '',
  ])('%p is refused', (text) => {
    expect(parseDatabaseUrl(text)).toBeUndefined()
  })
})

describe('PostgreSQL addresses', () => {
  test.each([
    'postgresql',
    'postgres',
    'PostgreSQL',
    'postgresql+psycopg',
    'postgresql+psycopg2',
    'postgresql+psycopg_async',
    'postgresql+asyncpg',
    'postgres+asyncpg',
    'postgresql+pg8000',
  ])('12.C4 %s:// is one', (scheme) => {
    expect(parseDatabaseUrl(`${scheme}://user:p%40ss@db.example:5433/app?sslmode=require`)).toEqual({
      dialect: 'postgresql',
      url: 'postgresql://user:p%40ss@db.example:5433/app?sslmode=require',
      shown: 'postgresql://user:********@db.example:5433/app?sslmode=require',
      host: 'db.example',
      database: 'app',
      files: [],
    })
  })

  // As libpq, SQLAlchemy and Cloud SQL spell them.
  test.each([
    ['user:pw@/app?host=/run/postgresql', undefined, 'user:********@localhost/app?host=/run/postgresql'],
    [
      'user:pw@/app?host=/cloudsql/project:region:name',
      undefined,
      'user:********@localhost/app?host=/cloudsql/project:region:name',
    ],
    ['user@:5433/app?host=/run/postgresql', undefined, 'user@localhost:5433/app?host=/run/postgresql'],
    ['/app?host=/run/postgresql&port=5433&user=ada', undefined, '/app?host=/run/postgresql&port=5433&user=ada'],
    ['user:pw@%2Frun%2Fpostgresql/app', undefined, 'user:********@%2Frun%2Fpostgresql/app'],
    ['user:pw@[::1]:5433/app', '::1', 'user:********@[::1]:5433/app'],
    ['/app', 'localhost', '/app'],
    ['user:pw@/app', 'localhost', 'user:********@localhost/app'],
    [':5433/app', 'localhost', 'localhost:5433/app'],
  ])('12.C4 postgresql://%s connects to %s', (address, host, shown) => {
    const target = parseDatabaseUrl(`postgresql+psycopg://${address}`)
    expect(target).toMatchObject({ dialect: 'postgresql', database: 'app', shown: `postgresql://${shown}` })
    expect(target).toHaveProperty('host', host)
  })

  test.each([
    ['connect_timeout=5', ''],
    ['sslmode=verify-full&sslrootcert=/ca.crt&keepalives=1', '?sslmode=verify-full&sslrootcert=/ca.crt'],
    ['target_session_attrs=read-write&application_name=shop', ''],
    ['ssl=require', '?ssl=require'],
    ['options=-csearch_path%3Dauth', '?options=-csearch_path%3Dauth'],
    ['prepared_statement_cache_size=0', '?prepare=false'],
    ['sslmode=require&pgbouncer=true', '?sslmode=require&prepare=false'],
  ])('12.C4 of the query ?%s the driver gets "%s"', (query, rest) => {
    expect(parseDatabaseUrl(`postgresql+asyncpg://host/app?${query}`)).toMatchObject({
      url: `postgresql://host/app${rest}`,
    })
  })

  test.each([
    ['schema=public', 'with the parameter "schema", which Keyward does not take'],
    ['sslmod=require', 'with the parameter "sslmod", which Keyward does not take'],
    [
      'sslmode=no-verify',
      /^with a value of the parameter "sslmode" that Keyward does not take \(it takes disable, .*\)$/,
    ],
    ['ssl=maybe', 'with a value of the parameter "ssl" that Keyward does not take'],
    ['sslrootcert=', 'with a value of the parameter "sslrootcert" that Keyward does not take'],
    ['port=70000', 'with a value of the parameter "port" that Keyward does not take'],
    ['sslmode=require&sslmode=disable', 'with the parameter "sslmode" given twice'],
    ['target_session_attrs=standby', 'with a value of the parameter "target_session_attrs" that Keyward does not take'],
    ['gssencmode=require', 'with a value of the parameter "gssencmode" that Keyward does not take'],
    ['statement_timeout=1', 'with the parameter "statement_timeout", which Keyward does not take'],
    ['host=a:5432&host=b:5432', /^with several hosts; Keyward takes one/],
    ['password=hun&ter2', 'with a parameter, which Keyward does not take'],
  ])('12.C4 the query ?%s is refused, and the parameter named', (query, clause) => {
    const text = `postgresql://host/app?${query}`
    expect(parseDatabaseUrl(text)).toBeUndefined()
    expect(databaseUrlProblem(text)).toEqual(expect.stringMatching(clause))
  })

  test.each(['a,b', 'a:5432,b:5432', 'user:pw@a:5432,b:5433'])('12.C4 several hosts are named: %s', (hosts) => {
    expect(databaseUrlProblem(`postgresql://${hosts}/app`)).toStartWith('with several hosts; Keyward takes one')
  })

  test.each([
    ['another database', 'mysql://user:password@host/db'],
    ['an unknown driver', 'postgresql+mystery://user:password@host/db'],
    ['a missing slash', 'postgresql:/user:password@host/db'],
    ['a raw slash in the password', 'postgresql://user:12/34@host/db'],
    ['a raw question mark in the password', 'postgresql://user:12?34@host/db'],
    ['a raw hash in the password', 'postgresql://user:12#34@host/db'],
    ['a broken escape in the password', 'postgresql://user:%zz@host/db'],
    ['a space', 'postgresql://user:pass word@host/db'],
    ['a port out of range', 'postgresql://user:password@host:99999/db'],
  ])('%s is refused, and nothing of it printed', (_, text) => {
    expect(parseDatabaseUrl(text)).toBeUndefined()
    expect(maskDatabaseUrl(text)).toMatch(/^[a-z0-9+]+:\*{8}$/)
  })
})

describe('masking', () => {
  test.each([
    ['postgresql://user:hunter2@host/db', 'postgresql://user:********@host/db'],
    ['postgres+asyncpg://user:hunter2@host/db', 'postgresql://user:********@host/db'],
    ['postgresql://user:p@ss@host/db', 'postgresql://user:********@host/db'],
    ['postgresql://user@host/db', 'postgresql://user@host/db'],
    ['postgresql://host/db?user=a&password=hunter2', 'postgresql://host/db?user=a&password=********'],
    ['postgresql://host/db?sslpassword=hunter2', 'postgresql://host/db?sslpassword=********'],
    ['sqlite:///./users.db', 'sqlite:///./users.db'],
    ['hunter2', '********'],
  ])('%s prints as %s', (text, masked) => {
    expect(maskDatabaseUrl(text)).toBe(masked)
  })
})
