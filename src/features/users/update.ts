import type { Deps } from '../../service.ts'
import * as store from './store.ts'

type UpdateDeps = Pick<Deps, 'store' | 'clock'>

/** Opens or closes an account; false when it was so already, or is not there. Ending its sessions is the caller's. */
export const setActive = (deps: UpdateDeps, change: { id: number; isActive: boolean }): Promise<boolean> =>
  store.setActive(deps.store, { ...change, now: deps.clock.now() })

/** Replaces a password hash whatever it was, and voids the user's device tokens; false when the user is not there. */
export const setPasswordHash = (
  deps: UpdateDeps,
  change: { id: number; hash: string; scheme: string },
): Promise<boolean> => store.setPasswordHash(deps.store, { ...change, now: deps.clock.now() })

/** Removes a user with everything that refers to them. */
export const deleteUser = (deps: UpdateDeps, id: number): Promise<void> => store.remove(deps.store, id)
