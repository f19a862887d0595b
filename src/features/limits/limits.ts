import type { Clock } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256 } from '../../lib/hash.ts'
import type { Log } from '../../lib/log.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { createLimiter, unlimited } from './limiter.ts'
import { inLockOrder } from './row-keys.ts'
import type { Rule, RuleName } from './rules.ts'
import * as store from './store.ts'

export { rulesWith } from './overrides.ts'
export type { RuleName } from './rules.ts'

/** A request for one place in the buckets of one rule. */
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
 * Places that are taken before the outcome of an attempt is known. Settle it with `keep` or `giveBack`; the first call
 * decides. `await using` gives back the places of an unsettled reservation, since an attempt that failed because of an
 * internal error does not count.
 */
export interface Reservation extends AsyncDisposable {
  /** Keeps the places taken: the attempt counts. */
  keep(): void
  /**
   * Gives the places back: the attempt does not count. With `clear` all earlier places of that count are given back
   * too, since its owner has logged in.
   * It takes part in a transaction; after a rollback the reservation is unsettled.
   */
  giveBack(clear?: Count): Promise<void>
}

/** Recorded in the audit event when a limit refuses. */
export interface Requester {
  userId?: number
  ip?: string
}

export interface LimitsNeeds {
  store: Store
  clock: Clock
  log: Log
  audit: Audit
  /** `RATE_LIMIT`; when false, no attempt is refused. */
  enabled: boolean
  rules: Readonly<Record<RuleName, Rule>>
  secrets: Pick<Secrets, 'macKeys'>
}

/** Rate limits, shared by all processes of one database. */
export interface Limits {
  /**
   * Takes one place for each count, or none: a refused attempt takes no places. Of concurrent attempts, no more pass
   * than there are places. When the last places belong to unsettled reservations, the attempt waits for these.
   * @throws KeywardError `rate_limited`
   */
  reserve(counts: readonly Count[], requester: Requester): Promise<Reservation>
  /** As `reserve` for one count. @returns undefined instead of a refusal, which is not reported */
  tryReserve(count: Count): Promise<Reservation | undefined>
  /**
   * Refuses a key that this process knows to be exhausted, without asking the database. Takes no place.
   * @throws KeywardError `rate_limited`
   */
  refuseKnown(count: Count): void
  /**
   * Closes an exhausted key for twice the longest window of its rule.
   * @returns true for exactly one of concurrent calls
   */
  closeIfExhausted(count: Count): Promise<boolean>
  /** The key of a typed name: a MAC, since a person may type the password into the wrong field. */
  nameKey(name: string): string
  /** Deletes the buckets of a deleted user. Their keys contain the user's id and networks. */
  forgetUser(id: number): Promise<void>
  /** Deletes up to `limit` buckets that are full again. @returns how many */
  cleanUp(limit: number): Promise<number>
}

/** The key that counts guesses at a user. A rule that counts guesses from one network adds `@` and the network. */
export const userKey = (id: number): string => `u${id}`

export function createLimits(needs: LimitsNeeds): Limits {
  const { store: db, clock } = needs
  return {
    ...(needs.enabled ? createLimiter(needs) : unlimited),
    // 132 bits of an HMAC-SHA-256.
    nameKey: (name) => `n${toBase64Url(hmacSha256(needs.secrets.macKeys('limit_name')[0], name)).slice(0, 22)}`,
    forgetUser: (id) => store.deleteOfUser(db, userKey(id)),
    async cleanUp(limit) {
      const now = clock.now()
      const full = await store.findFull(db, { now, limit })
      if (full.length === 0) return 0
      await db.transaction(async () => {
        for (const key of inLockOrder(full)) await store.deleteFull(db, { key, now })
      })
      return full.length
    },
  }
}
