import { invalidField } from '../../errors.ts'
import { readId } from '../../lib/id.ts'
import type { IdRange } from './matching.store.ts'
import type { UserMark, UserOrder } from './order.store.ts'
import * as store from './search.store.ts'
import type { User } from './user.ts'
import { keysOfBeginning, nameKeysOf, trimTyped } from './username.ts'
import type { UsersNeeds } from './users.ts'

/** The place of a user in an order. */
export function markOf(user: User, by: UserOrder['by']): UserMark {
  const { emailKey, usernameKey } = nameKeysOf(user)
  const keys = { id: user.id, created_at: user.createdAt, email: emailKey, username: usernameKey }
  return { key: keys[by], id: user.id }
}

/** Implements `Users.search`. */
export function search(
  { store: db }: UsersNeeds,
  { q, ...filter }: { q?: string } & Omit<store.UserFilter, 'names'>,
): Promise<User[]> {
  const typed = trimTyped(q ?? '')
  if (typed === '') return store.search(db, filter)
  const keys = keysOfBeginning(typed)
  if (!keys) throw invalidField('q', 'No address and no username can begin with this text')
  return store.search(db, { ...filter, names: { ...keys, ids: idsOfBeginning(typed) } })
}

/** The ids whose decimal digits begin with the text, at most 16 ranges in ascending order: 12, 120 to 129, and so on. */
function idsOfBeginning(text: string): IdRange[] {
  const ranges: IdRange[] = []
  const id = readId(text)
  if (id === undefined) return ranges
  for (let size = 1; id * size <= Number.MAX_SAFE_INTEGER; size *= 10)
    ranges.push({ first: id * size, last: Math.min(id * size + size - 1, Number.MAX_SAFE_INTEGER) })
  return ranges
}
