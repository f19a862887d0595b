import { DAY } from '../../lib/clock.ts'
import type { Deps } from '../../service.ts'
import * as store from './store.ts'

/** Dead sessions still tell the networks that their users come from; see `hasSessionFrom`. */
const KEEP_DEAD = 7 * DAY

/** Deletes a bite of the sessions that have been dead for a week; answers how many. */
export const cleanUpSessions = ({ store: db, clock }: Pick<Deps, 'store' | 'clock'>, limit: number): Promise<number> =>
  store.deleteDead(db, { before: clock.now() - KEEP_DEAD, limit })
