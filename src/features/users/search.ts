import { invalidField } from '../../errors.ts'
import * as store from './search.store.ts'
import type { User } from './user.ts'
import { keysOfBeginning, nameKeysOf, trimTyped } from './username.ts'
import type { UsersNeeds } from './users.ts'

/** The place of a user in an order. */
export function markOf(user: User, by: store.UserOrder['by']): store.UserMark {
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
  const id = /^[1-9]\d{0,14}$/.test(typed) ? Number(typed) : undefined
  return store.search(db, { ...filter, names: { ...keys, id } })
}
