import type { Clock } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256 } from '../../lib/hash.ts'
import type { Log } from '../../lib/log.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { createLimiter } from './limiter.ts'
import { inLockOrder } from './row-keys.ts'
import type { Rule, RuleName } from './rules.ts'
import * as store from './store.ts'
import { unlimited } from './unlimited.ts'

export { rulesWith } from './overrides.ts'
export type { RuleName } from './rules.ts'

/** A request for one place in the buckets of one rule. */
export interface Count {
  rule: RuleName
  /**
   * What the attempts are counted for: a network, a device, a session, `userKey` or `nameKey`, alone or at a network.
   */
  key: string
  /**
   * When set, the attempt takes a place only if its bucket of rule `ifNewTo` was full before. An exhausted bucket
   * of `rule` refuses the attempt in either case.
   */
  ifNewTo?: RuleName
}

/** The roof over everything that vouches for a user: all known devices and networks. */
export const knownAccount = (userId: number): Count => ({ rule: 'login.known_account', key: `u${userId}` })

/** The count of the logins of a user from one network. */
export const rightPassword = (userId: number, client: string): Count => ({
  rule: 'login.right',
  key: `${userKey(userId)}@${client}`,
})

/** The count of a change that a user makes. */
export const accountWrite = (userId: number): Count => ({ rule: 'account.write', key: `u${userId}` })

/**
 * Places that are taken before the outcome of an attempt is known. `keep` or `giveBack` settles the reservation, and
 * only the first call has an effect. `await using` gives back the places of an unsettled reservation, because an
 * attempt that failed with an internal error does not count.
 */
export interface Reservation extends AsyncDisposable {
  /** Keeps the places taken: the attempt counts. */
  keep(): void
  /**
   * Gives the places back: the attempt does not count. For the rules in `clear`, all earlier places of the key are
   * given back too, because the owner has proved the password. The call takes part in the current transaction. After a
   * rollback the reservation is still unsettled.
   */
  giveBack(clear?: readonly RuleName[]): Promise<void>
}

/** Who made the attempt: for the audit event of a refusal, and for the `WriteOrigin` of the places. */
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
  /** For this long after a place was taken, the outcome of the attempt may be unknown; in milliseconds. */
  undecidedMs: number
  secrets: Pick<Secrets, 'macKeys'>
}

/** Rate limits, shared by all processes of one database. */
export interface Limits {
  /**
   * Takes one place for each count. A refused attempt takes no places. Of concurrent attempts, at most as many pass as
   * there are places. When unsettled reservations have taken the last places, the attempt waits for these reservations,
   * also for those of other processes. For the latter it waits at most `undecidedMs`.
   * @throws KeywardError `rate_limited`
   */
  reserve(counts: readonly Count[], requester: Requester): Promise<Reservation>
  /**
   * Like `reserve` for the `counts` and the `roof`, but an exhausted roof refuses nobody.
   * @returns undefined when no place is free under the roof. This is reported
   * @throws KeywardError `rate_limited` for the other counts
   */
  reserveUnder(roof: Count, counts: readonly Count[], requester: Requester): Promise<Reservation | undefined>
  /**
   * Like `reserve`, but a refusal is neither thrown nor reported.
   * @returns undefined when no place is free
   */
  tryReserve(counts: readonly Count[], requester: Requester): Promise<Reservation | undefined>
  /**
   * Runs `work` in a transaction, which takes a place for `count` as its last statement. So the attempt counts exactly
   * when `work` is committed, and of concurrent attempts no more are committed than there are places. This suits an
   * attempt whose outcome is known: it does not wait for reservations, and saves the transaction of `reserve`.
   * @throws KeywardError `rate_limited`; the errors of `work`
   */
  commitCounted<T>(count: Count, requester: Requester, work: () => Promise<T>): Promise<T>
  /**
   * Refuses a key if this process knows that it is exhausted. Reads no database and takes no place.
   * @throws KeywardError `rate_limited`
   */
  refuseKnown(count: Count): void
  /**
   * Closes an exhausted key. The next place is free only after the longest window of its rule, and the bucket is full
   * after twice this window.
   * @returns false when the key is not exhausted or already closed: of several concurrent calls, only one returns true
   */
  closeIfExhausted(count: Count): Promise<boolean>
  /** Gives back all places of a key, except of a closed one. */
  refill(count: Count): Promise<void>
  /** Whether `LIMITS` turns this rule off. */
  isOff(rule: RuleName): boolean
  /** The key of a typed name. The key is a MAC, because a person may type the password into the name field. */
  nameKey(name: string): string
  /**
   * Deletes the buckets that are counted for a user or one of the user's `names`, alone or at a network, in short
   * transactions. It forgets wrong passwords, and for a deleted user the id and the networks that are in the keys. A
   * process that knows such a bucket to be exhausted may refuse for 5 s more.
   */
  clearUser(id: number, names: readonly string[]): Promise<void>
  /** Deletes up to `limit` buckets that are full, because a full bucket needs no row. @returns how many were found */
  cleanUp(limit: number): Promise<number>
}

/** The key that counts guesses at a user. A rule that counts guesses from one network adds `@` and the network. */
export const userKey = (id: number): string => `u${id}`

/** The number of buckets of a user that one transaction deletes. It is small, so that no request waits long. */
const BATCH = 500

export function createLimits(needs: LimitsNeeds): Limits {
  const { store: db, clock } = needs
  // 22 characters are 132 bits of the HMAC: two names never share a key, and the row key stays short.
  const nameKey = (name: string) =>
    `n${toBase64Url(hmacSha256(needs.secrets.macKeys('limit_name')[0], name)).slice(0, 22)}`
  return {
    ...(needs.enabled ? createLimiter(needs) : unlimited(db)),
    nameKey,
    async clearUser(id, names) {
      const keys = inLockOrder(await store.keysOf(db, [userKey(id), ...names.map(nameKey)]))
      for (let at = 0; at < keys.length; at += BATCH)
        await db.transaction(async () => {
          for (const key of keys.slice(at, at + BATCH)) await store.remove(db, key)
        })
    },
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
