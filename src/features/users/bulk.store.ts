import { and, eq, or } from 'drizzle-orm'
import type { SQLiteInsertValue } from 'drizzle-orm/sqlite-core'
import type { EpochMs } from '../../lib/clock.ts'
import { execute, named, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { BulkKeys, BulkUser } from './user.ts'

/**
 * The most users in one insert. One user has 18 columns, so 500 users need 9,000 parameters. SQLite allows 32,766.
 */
export const ROWS = 500

/** The values of a user that an insert takes from a `BulkUser`. */
const fields = [
  'email',
  'emailKey',
  'emailVerifiedAt',
  'username',
  'usernameKey',
  'passwordHash',
  'passwordScheme',
  'name',
  'locale',
  'externalId',
  'externalSource',
  'isActive',
  'inactiveUntil',
  'invitedAt',
  'createdAt',
] as const

/**
 * PostgreSQL inserts `ROWS` users with one statement, because each statement is a message to the server. SQLite inserts
 * them one by one, which takes half the time of a statement with thousands of parameters. All are prepared: an import
 * then holds its lock for a third of the time.
 */
const prepared = statements((db, { change, select }) => {
  const { users } = db.t
  const part = (names: readonly string[]) => {
    const rows = Array.from({ length: ROWS }, (_, row) => placeholders(names, String(row)))
    return change(insert(db, rows))
  }
  const one = (names: readonly string[]) => change(insert(db, [placeholders(names, '')]))
  return {
    holders: select(keyColumns(db), (q) =>
      q
        .from(users)
        .where(
          or(
            eq(users.id, named('id')),
            eq(users.emailKey, named('emailKey')),
            eq(users.usernameKey, named('usernameKey')),
            and(eq(users.externalId, named('externalId')), eq(users.externalSource, named('externalSource'))),
          ),
        ),
    ),
    insertOne: one(['id', ...fields]),
    insertOneWithoutId: one(fields),
    insertPart: part(['id', ...fields]),
    insertPartWithoutIds: part(fields),
  }
})

const keyColumns = ({ t: { users } }: Db) => ({
  id: users.id,
  emailKey: users.emailKey,
  usernameKey: users.usernameKey,
  externalId: users.externalId,
  externalSource: users.externalSource,
})

const placeholders = (names: readonly string[], row: string) =>
  ({
    ...Object.fromEntries(names.map((name) => [name, named(`${name}${row}`)])),
    sessionEpoch: 0,
    updatedAt: named('now'),
  }) as unknown as UserValues

type UserValues = SQLiteInsertValue<Db['t']['users']>

const insert = ({ q, t: { users } }: Db, rows: UserValues[]) => q.insert(users).values(rows).onConflictDoNothing()

/**
 * Inserts users, at most `ROWS`, which all have an id or all have none. Skips each user whose id, address, username or
 * external id is taken.
 * @returns the number of inserted users
 */
export async function insertWhereFree(db: Db, accounts: readonly BulkUser[], now: EpochMs): Promise<number> {
  const { insertOne, insertOneWithoutId, insertPart, insertPartWithoutIds } = prepared(db)
  const hasId = accounts[0]?.id !== undefined
  if (db.dialect === 'sqlite' || accounts.length < ROWS) {
    const statement = hasId ? insertOne : insertOneWithoutId
    let sum = 0
    for (const account of accounts) sum += await execute(db, statement, { ...account, now })
    return sum
  }
  const values: Record<string, unknown> = { now }
  for (const [row, account] of accounts.entries())
    for (const [name, value] of Object.entries(account)) values[`${name}${row}`] = value
  return execute(db, hasId ? insertPart : insertPartWithoutIds, values)
}

/**
 * Finds the stored users that have the id, the address, the username or the external id of one of the `keys`. One query finds the
 * holders of one entry of `keys`, because PostgreSQL reads the whole table for a query with a list. The store sends the
 * queries together.
 */
export async function findHolders(db: Db, keys: readonly BulkKeys[]): Promise<BulkKeys[]> {
  const found = await Promise.all(keys.map((key) => readRows(db, prepared(db).holders, { ...key })))
  return found.flat()
}
