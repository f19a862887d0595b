import * as addresses from './addresses.store.ts'
import * as store from './bulk.store.ts'
import type { BulkKeys, BulkUser } from './user.ts'
import type { UsersNeeds } from './users.ts'

export async function findHolders({ store: db, clock }: UsersNeeds, keys: readonly BulkKeys[]): Promise<BulkKeys[]> {
  const found: BulkKeys[] = []
  for (const some of inParts(keys)) found.push(...(await store.findHolders(db, some)))
  // The reservations come after the users. The first entry with an id therefore has the present address of the user,
  // and not a reserved one.
  const now = clock.now()
  for (const some of inParts(keys))
    found.push(...(await addresses.findReserved(db, { emailKeys: some.map(({ emailKey }) => emailKey), now })))
  return found
}

export async function insertAllOrNone(
  { store: db, clock }: UsersNeeds,
  users: readonly BulkUser[],
  alongside: () => Promise<void>,
): Promise<boolean> {
  if (users.length === 0) return true
  // In the order of a key, an insert finds each page of the key's index once.
  const sorted = users.toSorted((one, other) => (one.emailKey < other.emailKey ? -1 : 1))
  const [withId, withoutId] = [sorted.filter(hasId), sorted.filter((user) => !hasId(user))]
  const now = clock.now()
  const taken = Symbol('taken')
  try {
    await db.transaction(async () => {
      for (const some of [...inParts(withId), ...inParts(withoutId)]) {
        const inserted = await store.insertWhereFree(db, some, now)
        if (inserted < some.length) throw taken
        // The insert waits while another transaction gives up an address and reserves it. A check before the insert
        // would not see the reservation.
        const emailKeys = some.map(({ emailKey }) => emailKey)
        if ((await addresses.areAnyReserved(db, now)) && (await addresses.isReserved(db, { emailKeys, now })))
          throw taken
      }
      await alongside()
    })
    return true
  } catch (error) {
    if (error === taken) return false
    throw error
  }
}

const hasId = (user: BulkUser): boolean => user.id !== undefined

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += store.ROWS) yield all.slice(at, at + store.ROWS)
}
