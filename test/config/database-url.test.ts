import { describe, expect, test } from 'bun:test'
import { maskDatabaseUrl, parseDatabaseUrl } from '../../src/lib/database-url.ts'

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
  test.each(['postgresql', 'postgres', 'postgresql+psycopg', 'postgresql+psycopg2', 'postgresql+asyncpg'])(
    '%s:// is one',
    (scheme) => {
      expect(parseDatabaseUrl(`${scheme}://user:p%40ss@db.example:5433/app?sslmode=require`)).toEqual({
        dialect: 'postgresql',
        url: 'postgresql://user:p%40ss@db.example:5433/app?sslmode=require',
        shown: 'postgresql://user:********@db.example:5433/app?sslmode=require',
      })
    },
  )

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
