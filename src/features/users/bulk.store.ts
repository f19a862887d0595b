import { and, eq, or } from 'drizzle-orm'
import type { SQLiteInsertValue } from 'drizzle-orm/sqlite-core'
import type { EpochMs } from '../../lib/clock.ts'
import { named, queryRows, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { BulkKeys, BulkUser } from './user.ts'

/**
 * The most users in one insert. One user has 16 columns, so 500 users need 8,000 parameters. SQLite allows 32,766.
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
  'createdAt',
] as const

/**
 * `insertPart` and `insertPartWithoutIds` are prepared once for exactly `ROWS` users. An import then holds its lock for
 * a third of the time.
 */
const prepared = statements((db, { returning, select }) => {
  const { users } = db.t
  const part = (names: readonly string[]) =>
    returning(
      { id: users.id },
      insert(
        db,
        Array.from({ length: ROWS }, (_, row) => placeholders(names, row)),
      ),
    )
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

const placeholders = (names: readonly string[], row: number) =>
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
 * @returns the ids of the inserted users
 */
export function insertWhereFree(db: Db, accounts: readonly BulkUser[], now: EpochMs): Promise<{ id: number }[]> {
  if (accounts.length < ROWS)
    return insert(
      db,
      accounts.map((account) => ({ ...account, sessionEpoch: 0, updatedAt: now })),
    ).returning({ id: db.t.users.id })
  const { insertPart, insertPartWithoutIds } = prepared(db)
  const values: Record<string, unknown> = { now }
  for (const [row, account] of accounts.entries())
    for (const [name, value] of Object.entries(account)) values[`${name}${row}`] = value
  return queryRows(db, accounts[0]?.id === undefined ? insertPartWithoutIds : insertPart, values)
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
