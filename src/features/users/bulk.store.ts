import { inArray, or } from 'drizzle-orm'
import type { SQLiteInsertValue } from 'drizzle-orm/sqlite-core'
import type { EpochMs } from '../../lib/clock.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { BulkUser, UserKeys } from './user.ts'

/**
 * The most users in one statement. With three keys or eleven columns of each, 500 users need at most 5,500 of the
 * 32,766 parameters that SQLite allows.
 */
export const ROWS = 500

/**
 * The insert is prepared for exactly `ROWS` users. This cuts the time for which an import holds its lock to a third.
 */
const prepared = statements((db, { returning }) => ({
  insertPart: returning(
    { id: db.t.users.id },
    insert(
      db,
      Array.from({ length: ROWS }, (_, row) => ({
        id: named(`id${row}`),
        email: named(`email${row}`),
        emailKey: named(`emailKey${row}`),
        username: named(`username${row}`),
        usernameKey: named(`usernameKey${row}`),
        passwordHash: named(`passwordHash${row}`),
        passwordScheme: named(`passwordScheme${row}`),
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
 * Inserts at most `ROWS` users. Skips users whose id, address or username is taken.
 * @returns the ids of the inserted users
 */
export function insertWhereFree(db: Db, accounts: readonly BulkUser[], now: EpochMs): Promise<{ id: number }[]> {
  if (accounts.length < ROWS)
    return insert(
      db,
      accounts.map((account) => ({ ...account, sessionEpoch: 0, updatedAt: now })),
    ).returning({ id: db.t.users.id })
  const values: Record<string, unknown> = { now }
  for (const [row, account] of accounts.entries())
    for (const [name, value] of Object.entries(account)) values[`${name}${row}`] = value
  return queryRows(db, prepared(db).insertPart, values)
}

export function findHolders({ q, t: { users } }: Db, keys: readonly UserKeys[]): Promise<UserKeys[]> {
  const ids = keys.map(({ id }) => id)
  const emailKeys = keys.map(({ emailKey }) => emailKey)
  const usernameKeys = keys.map(({ usernameKey }) => usernameKey)
  return q
    .select({ id: users.id, emailKey: users.emailKey, usernameKey: users.usernameKey })
    .from(users)
    .where(or(inArray(users.id, ids), inArray(users.emailKey, emailKeys), inArray(users.usernameKey, usernameKeys)))
}
