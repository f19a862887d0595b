import type { Deps } from '../../deps.ts'
import * as store from './store.ts'
import type { User } from './user.ts'

/** The account with this id, active or not. */
export const findUser = (deps: Pick<Deps, 'store'>, id: number): Promise<User | undefined> =>
  store.findById(deps.store, id)
