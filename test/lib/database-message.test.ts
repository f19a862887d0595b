import { expect, test } from 'bun:test'
import { withoutValues } from '../../src/lib/database-message.ts'

test.each([
  'duplicate key value violates unique constraint "users_email_key_unique"',
  'null value in column "email" of relation "users" violates not-null constraint',
  'column "password_hash" does not exist',
  'relation "public.users" does not exist',
  'unrecognized configuration parameter "schema"',
  'value too long for type character varying(32)',
  'UNIQUE constraint failed: users.email_key',
  'no such column: password_hash',
  'database is locked',
])('12.D2 %s is logged whole', (message) => {
  expect(withoutValues(message)).toBe(message)
})

test.each([
  ['invalid input syntax for type bigint: "ada"', 'invalid input syntax for type bigint: …'],
  ['invalid input syntax for type bigint: "x" constraint "hunter2"', 'invalid input syntax for type bigint: …'],
  ['value "99999999999" is out of range for type integer', 'value …'],
  ['constraint "hunter 2 secret"', 'constraint …'],
  ['column "open', 'column …'],
  ['password authentication failed for user "keyward"', 'password authentication failed for user …'],
  ['invalid byte sequence for encoding "UTF8": 0xe9', 'invalid byte sequence for encoding …'],
  ['character with byte sequence 0xe6 0x97 0xa5 in encoding "UTF8"', 'character with byte sequence … in encoding …'],
  ['doppelter Wert »ada@example.com« in Spalte', 'doppelter Wert …'],
  ['unrecognized token: "\'abc"', 'unrecognized token: …'],
  ['invalid command-line argument for server process: nonsense', 'invalid command-line argument for server process: …'],
  ['no row with id 123456789', 'no row with id …'],
  ['line\none', 'line one'],
])('12.D2 %j is logged as %j', (message, logged) => {
  expect(withoutValues(message)).toBe(logged)
})
