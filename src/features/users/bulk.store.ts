import { inArray, or } from 'drizzle-orm'
import type { SQLiteInsertValue } from 'drizzle-orm/sqlite-core'
import type { EpochMs } from '../../lib/clock.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { BulkUser, UserKeys } from './bulk.ts'

/** How many users one statement takes. Three keys or a dozen columns of each stay below SQLite's 32,766 parameters. */
export const ROWS = 500

/** Prepared for `ROWS` users, which holds an import's lock for a third of the time. */
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
 * Inserts those of at most `ROWS` users whose id, address and name are all free.
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

export const findHolders = ({ q, t: { users } }: Db, keys: readonly UserKeys[]): Promise<UserKeys[]> =>
  q
    .select({ id: users.id, emailKey: users.emailKey, usernameKey: users.usernameKey })
    .from(users)
    .where(
      or(
        inArray(
          users.id,
          keys.map((one) => one.id),
        ),
        inArray(
          users.emailKey,
          keys.map((one) => one.emailKey),
        ),
        inArray(
          users.usernameKey,
          keys.map((one) => one.usernameKey),
        ),
      ),
    )
