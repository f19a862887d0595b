import { inArray, or } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { AccountKeys, ImportedUser } from './import.ts'

export const findHolders = ({ q, t: { users } }: Db, keys: readonly AccountKeys[]): Promise<AccountKeys[]> =>
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

/** Leaves out every account of which the id, the address or the name is taken. Answers the ids that went in. */
export const insertWhereFree = ({ q, t: { users } }: Db, accounts: readonly ImportedUser[], now: EpochMs) =>
  q
    .insert(users)
    .values(accounts.map((account) => ({ ...account, sessionEpoch: 0, updatedAt: now })))
    .onConflictDoNothing()
    .returning({ id: users.id })
