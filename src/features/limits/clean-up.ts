import type { Deps } from '../../deps.ts'
import * as store from './store.ts'

/** Deletes a bite of the buckets that are full again; answers how many. */
export const cleanUpLimits = (deps: Pick<Deps, 'store' | 'clock'>, limit: number): Promise<number> =>
  store.deleteFull(deps.store, { now: deps.clock.now(), limit })
