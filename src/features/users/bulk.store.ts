import { inArray, or, sql } from 'drizzle-orm'
import type { SQLiteInsertValue } from 'drizzle-orm/sqlite-core'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, statements } from '../../storage/store.ts'
import type { BulkUser, UserKeys } from './bulk.ts'

/** Rows in one statement: three keys or a dozen columns of each stay below SQLite's 32,766 parameters. */
export const ROWS = 500

/** A whole part, prepared: the lock that an import holds is a third as long. */
const prepared = statements((db) => ({
  insertPart: insert(
    db,
    Array.from({ length: ROWS }, (_, row) => ({
      id: sql.placeholder(`id${row}`),
      email: sql.placeholder(`email${row}`),
      emailKey: sql.placeholder(`emailKey${row}`),
      username: sql.placeholder(`username${row}`),
      usernameKey: sql.placeholder(`usernameKey${row}`),
      passwordHash: sql.placeholder(`passwordHash${row}`),
      passwordScheme: sql.placeholder(`passwordScheme${row}`),
      isActive: sql.placeholder(`isActive${row}`),
      createdAt: sql.placeholder(`createdAt${row}`),
      updatedAt: sql.placeholder('now'),
      sessionEpoch: 0,
    })),
  ).prepare(),
}))

const insert = ({ q, t: { users } }: Db, rows: SQLiteInsertValue<Db['t']['users']>[]) =>
  q.insert(users).values(rows).onConflictDoNothing().returning({ id: users.id })

/** Leaves out every one of at most `ROWS` accounts of which the id, the address or the name is taken. Answers the ids that went in. */
export function insertWhereFree(db: Db, accounts: readonly BulkUser[], now: EpochMs): Promise<{ id: number }[]> {
  if (accounts.length < ROWS)
    return insert(
      db,
      accounts.map((account) => ({ ...account, sessionEpoch: 0, updatedAt: now })),
    )
  const values: Record<string, unknown> = { now }
  for (const [row, account] of accounts.entries())
    for (const [name, value] of Object.entries(account)) values[`${name}${row}`] = value
  return prepared(db).insertPart.execute(values)
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
