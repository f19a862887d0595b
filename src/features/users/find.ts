import type { Deps } from '../../service.ts'
import * as store from './store.ts'
import type { User } from './user.ts'
import { loginIdentifier } from './username.ts'

/** The account with this id, active or not. */
export const findUser = (deps: Pick<Deps, 'store'>, id: number): Promise<User | undefined> =>
  store.findById(deps.store, id)

/** The account that a username or an address stands for, active or not. */
export async function findUserByName(deps: Pick<Deps, 'store'>, name: string): Promise<User | undefined> {
  const by = loginIdentifier(name)
  if (!by) return undefined
  const found = await store.findCredentials(deps.store, by)
  if (!found) return undefined
  const { passwordHash: _hash, passwordScheme: _scheme, ...user } = found
  return user
}

/** All accounts in the order of their ids, a page at a time. */
export const listUsers = (deps: Pick<Deps, 'store'>, page: { after: number; limit: number }): Promise<User[]> =>
  store.list(deps.store, page)
