import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import { cleanUp } from './clean-up.ts'
import { createLimiter, unlimited } from './limiter.ts'
import { createNameKey } from './name-key.ts'
import type { Rule, RuleName } from './rules.ts'

export { rulesWith } from './overrides.ts'
export type { RuleName } from './rules.ts'

/** One place wanted in the buckets of one rule. */
export interface Count {
  rule: RuleName
  /** The key that is counted: a network, a user id, a `nameKey`. */
  key: string
  /**
   * Takes a place only when rule `ifNewTo` is new for this attempt (its bucket was untouched). An exhausted bucket
   * refuses either way.
   */
  ifNewTo?: RuleName
}

/**
 * Places that were taken before the outcome of an attempt is known, as if it were an offence. Settle it with `keep` or
 * `giveBack`; the first call decides. `await using` gives back what was not settled: an attempt that could not be
 * judged, for a reason of ours, does not count.
 */
export interface Reservation extends AsyncDisposable {
  /** The attempt was an offence: the places stay taken. */
  keep(): void
  /**
   * The attempt was none: its places are given back. All earlier places of the rule `clear` are too, since its owner has
   * proved who they are. In a transaction this is a part of it; when the transaction fails, it was not called.
   */
  giveBack(clear?: Count): Promise<void>
}

/** Named in the audit event when a limit refuses. */
export interface Requester {
  userId?: number
  ip?: string
}

export interface LimitsNeeds {
  store: Store
  clock: Clock
  log: Log
  audit: Audit
  /** `RATE_LIMIT`: without it nothing is ever refused. */
  enabled: boolean
  rules: Readonly<Record<RuleName, Rule>>
  /** SECRET_KEY, from which the key of `nameKey` is derived. */
  secret: string
}

/** Rate limits, shared by all processes of one database. */
export interface Limits {
  /**
   * Takes one place for each count, or none at all: a refused attempt consumes nothing. Of many attempts at once no more
   * pass than there are places. An attempt that finds none left because others are not settled yet waits for those.
   * @throws KeywardError `rate_limited`
   */
  reserve(counts: readonly Count[], requester: Requester): Promise<Reservation>
  /** As `reserve` for one count. @returns undefined instead of refusing, and reports nothing */
  tryReserve(count: Count): Promise<Reservation | undefined>
  /**
   * Refuses a key that this process knows to be exhausted, without asking the database. Takes no place.
   * @throws KeywardError `rate_limited`
   */
  refuseKnown(count: Count): void
  /** Closes an exhausted key for twice the longest window of its rule. @returns true for the one call that closed it */
  closeIfExhausted(count: Count): Promise<boolean>
  /** The key of a typed name: a MAC, since people type passwords into the wrong field. */
  nameKey(name: string): string
  /** Deletes up to `limit` buckets that are full again. @returns how many */
  cleanUp(limit: number): Promise<number>
}

export function createLimits(needs: LimitsNeeds): Limits {
  return {
    ...(needs.enabled ? createLimiter(needs) : unlimited),
    nameKey: createNameKey(needs.secret),
    cleanUp: (limit) => cleanUp(needs, limit),
  }
}
