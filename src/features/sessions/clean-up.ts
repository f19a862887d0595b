import { DAY } from '../../lib/clock.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/** Ended sessions still tell the networks that their users come from; see `isKnownNetwork`. */
const KEEP_ENDED = 7 * DAY

export const cleanUp = ({ store: db, clock }: SessionsNeeds, limit: number): Promise<number> =>
  store.deleteDead(db, { before: clock.now() - KEEP_ENDED, limit })
