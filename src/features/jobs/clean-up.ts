import type { Deps } from '../../service.ts'
import { forgetOldEvents, shortenOldAddresses } from '../audit/clean-up.ts'
import { cleanUpLimits } from '../limits/clean-up.ts'
import { cleanUpSessions } from '../sessions/clean-up.ts'

/** Rows in one statement: small, so that no request waits for a clean-up. */
const BITE = 200
/** Bites of one kind in one run; what is left waits for the next. */
const BITES = 50

const chores = [cleanUpSessions, cleanUpLimits, forgetOldEvents, shortenOldAddresses]

/** Removes what is of no use any more: dead sessions, full buckets, old audit rows and whole addresses in them. */
export async function cleanUp(deps: Deps): Promise<void> {
  for (const chore of chores) for (let bite = 0; bite < BITES; bite++) if ((await chore(deps, BITE)) < BITE) break
}
