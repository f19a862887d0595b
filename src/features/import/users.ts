import type { EpochMs } from '../../lib/clock.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import type { PasswordScheme } from '../passwords/passwords.ts'
import * as store from '../users/bulk.store.ts'

/** What no two accounts share. */
export interface AccountKeys {
  id: number
  emailKey: string
  usernameKey: string
}

/** An account of another service, with the id that it had there. */
export interface ImportedUser extends AccountKeys {
  email: string
  username: string
  passwordHash: string
  passwordScheme: PasswordScheme
  isActive: boolean
  createdAt: EpochMs
}

/** The accounts that hold the id, the address or the name of one of these. */
export async function findHolders(deps: Pick<Deps, 'store'>, keys: readonly AccountKeys[]): Promise<AccountKeys[]> {
  const found: AccountKeys[] = []
  for (const some of inParts(keys)) found.push(...(await store.findHolders(deps.store, some)))
  return found
}

/**
 * Adds accounts of another service, all of them or none: none when somebody took an id, an address or a name since
 * `findHolders`. Ids given out afterwards are above all of these.
 * @returns whether they went in
 */
export async function importUsers(
  deps: Pick<Deps, 'store' | 'clock'>,
  accounts: readonly ImportedUser[],
): Promise<boolean> {
  const highest = accounts.reduce((id, account) => Math.max(id, account.id), 0)
  if (highest === 0) return true
  await deps.store.reserveIds('users', highest)
  const now = deps.clock.now()
  const taken = Symbol('taken')
  try {
    await deps.store.transaction(async () => {
      for (const some of inParts(accounts)) {
        const inserted = await store.insertWhereFree(deps.store, some, now)
        if (inserted.length < some.length) throw taken
      }
      // One event for all: a hundred thousand would drown the log, and each row says since when its account is there.
      await record(deps, { event: 'users.imported', details: { accounts: accounts.length, highest_id: highest } })
    })
    return true
  } catch (error) {
    if (error === taken) return false
    throw error
  }
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += store.ROWS) yield all.slice(at, at + store.ROWS)
}
