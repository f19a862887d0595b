import { invalidField } from '../../errors.ts'
import * as store from './search.store.ts'
import type { User } from './user.ts'
import { keysOfBeginning, trimTyped } from './username.ts'
import type { UsersNeeds } from './users.ts'

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
