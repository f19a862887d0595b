import { eq, or } from 'drizzle-orm'
import type { SQLiteInsertValue } from 'drizzle-orm/sqlite-core'
import type { EpochMs } from '../../lib/clock.ts'
import { named, queryRows, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { BulkUser, UserKeys } from './user.ts'

/**
 * The most users in one insert. One user has 14 columns, so 500 users need 7,000 parameters. SQLite allows 32,766.
 */
export const ROWS = 500

/** `insertPart` is prepared once for exactly `ROWS` users. An import then holds its lock for a third of the time. */
const prepared = statements((db, { returning, select }) => ({
  holders: select({ id: db.t.users.id, emailKey: db.t.users.emailKey, usernameKey: db.t.users.usernameKey }, (q) =>
    q
      .from(db.t.users)
      .where(
        or(
          eq(db.t.users.id, named('id')),
          eq(db.t.users.emailKey, named('emailKey')),
          eq(db.t.users.usernameKey, named('usernameKey')),
        ),
      ),
  ),
  insertPart: returning(
    { id: db.t.users.id },
    insert(
      db,
      Array.from({ length: ROWS }, (_, row) => ({
        id: named(`id${row}`),
        email: named(`email${row}`),
        emailKey: named(`emailKey${row}`),
        emailVerifiedAt: named(`emailVerifiedAt${row}`),
        username: named(`username${row}`),
        usernameKey: named(`usernameKey${row}`),
        passwordHash: named(`passwordHash${row}`),
        passwordScheme: named(`passwordScheme${row}`),
        name: named(`name${row}`),
        locale: named(`locale${row}`),
        isActive: named(`isActive${row}`),
        createdAt: named(`createdAt${row}`),
        updatedAt: named('now'),
        sessionEpoch: 0,
      })),
    ),
  ),
}))

const insert = ({ q, t: { users } }: Db, rows: SQLiteInsertValue<Db['t']['users']>[]) =>
  q.insert(users).values(rows).onConflictDoNothing()

/**
 * Inserts users, at most `ROWS`, which all have an id or all have none. Skips each user whose id, address or username is taken.
 * @returns the ids of the inserted users
 */
export function insertWhereFree(db: Db, accounts: readonly BulkUser[], now: EpochMs): Promise<{ id: number }[]> {
  if (accounts.length < ROWS || accounts[0]?.id === undefined)
    return insert(
      db,
      accounts.map((account) => ({ ...account, sessionEpoch: 0, updatedAt: now })),
    ).returning({ id: db.t.users.id })
  const values: Record<string, unknown> = { now }
  for (const [row, account] of accounts.entries())
    for (const [name, value] of Object.entries(account)) values[`${name}${row}`] = value
  return queryRows(db, prepared(db).insertPart, values)
}

/**
 * Finds the stored users that have the id, the address or the username of one of the `keys`. One query finds the
 * holders of one entry of `keys`, because PostgreSQL reads the whole table for a query with a list. The store sends the
 * queries together.
 */
export async function findHolders(db: Db, keys: readonly UserKeys[]): Promise<UserKeys[]> {
  const found = await Promise.all(keys.map((key) => readRows(db, prepared(db).holders, { ...key })))
  return found.flat()
}
