import * as store from './bulk.store.ts'
import type { BulkUser, UserKeys } from './user.ts'
import type { UsersNeeds } from './users.ts'

export async function findHolders({ store: db }: UsersNeeds, keys: readonly UserKeys[]): Promise<UserKeys[]> {
  const found: UserKeys[] = []
  for (const some of inParts(keys)) found.push(...(await store.findHolders(db, some)))
  return found
}

export async function insertAllOrNone(
  { store: db, clock }: UsersNeeds,
  users: readonly BulkUser[],
  alongside: () => Promise<void>,
): Promise<boolean> {
  const highest = users.reduce((id, user) => Math.max(id, user.id), 0)
  if (highest === 0) return true
  await db.reserveIds('users', highest)
  const now = clock.now()
  const taken = Symbol('taken')
  try {
    await db.transaction(async () => {
      for (const some of inParts(users)) {
        const inserted = await store.insertWhereFree(db, some, now)
        if (inserted.length < some.length) throw taken
      }
      await alongside()
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
