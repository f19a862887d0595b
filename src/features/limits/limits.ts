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

/** A request for one place in each bucket of a key. A rule has one bucket for each of its tiers. */
export interface Count {
  rule: RuleName
  /**
   * The subject of the count: a network, a device, a session, `userKey` or `nameKey`. A rule that counts a user or name
   * in one network adds `@` and the network.
   */
  key: string
  /**
   * When set, the attempt takes a place of `rule` only if the same attempt took the first place of a full bucket of
   * rule `ifNewTo`. An exhausted bucket of `rule` refuses the attempt in either case.
   */
  ifNewTo?: RuleName
}

/** The count in the roof of a user: the limit that all known devices and networks of the user share. */
export const knownAccount = (userId: number): Count => ({ rule: 'login.known_account', key: `u${userId}` })

/** The count of a right password of a user in one network. */
export const rightPassword = (userId: number, client: string): Count => ({
  rule: 'login.right',
  key: `${userKey(userId)}@${client}`,
})

/** The count of a change that a user makes, such as ending sessions. */
export const accountWrite = (userId: number): Count => ({ rule: 'account.write', key: `u${userId}` })

/** The count of a change of the second factors of a user. */
export const factorChange = (userId: number): Count => ({ rule: 'factor.change', key: `u${userId}` })

/**
 * Places that are taken before the outcome of an attempt is known. `keep` or `giveBack` settles the reservation, and
 * only the first call has an effect. `await using` gives back the places of an unsettled reservation, because an
 * attempt that failed with an internal error does not count.
 */
export interface Reservation extends AsyncDisposable {
  /** Keeps the places taken: the attempt counts. */
  keep(): void
  /**
   * Gives the places back: the attempt does not count. For the rules in `clear`, also gives back all earlier places of
   * the key, because the owner has proved the password. A bucket that `closeIfExhausted` has closed stays closed. The
   * call is part of a running transaction. If the transaction is rolled back, the reservation is still unsettled.
   */
  giveBack(clear?: readonly RuleName[]): Promise<void>
}

/** The origin of an attempt, for the audit event of a refusal and for the `WriteOptions` of the write. */
export interface Requester {
  userId?: number
  ip?: string
}

export interface LimitsNeeds {
  store: Store
  clock: Clock
  log: Log
  audit: Audit
  /** False with `RATE_LIMIT=off`: no attempt is refused. */
  enabled: boolean
  rules: Readonly<Record<RuleName, Rule>>
  /** How long after a place was taken another process may still give back the place, in milliseconds. */
  undecidedMs: number
  secrets: Pick<Secrets, 'macKeys'>
}

/** Rate limits, shared by all processes of one database. */
export interface Limits {
  /**
   * Takes one place for each count. A refused attempt takes no places. Of concurrent attempts, at most as many succeed
   * as there are places. When unsettled reservations have taken the last places, the attempt waits until these
   * reservations are settled. An attempt waits at most `undecidedMs` for reservations of other processes.
   * @throws KeywardError `rate_limited`
   */
  reserve(counts: readonly Count[], requester: Requester): Promise<Reservation>
  /**
   * Like `reserve` for `counts` and `roof`, but throws no error when the bucket of `roof` is exhausted.
   * @returns undefined when `roof` has no free place. An audit event reports the exhausted roof
   * @throws KeywardError `rate_limited` when another count has no free place
   */
  reserveUnder(roof: Count, counts: readonly Count[], requester: Requester): Promise<Reservation | undefined>
  /**
   * Like `reserve`, but a refusal is neither thrown nor reported.
   * @returns undefined when no place is free
   */
  tryReserve(counts: readonly Count[], requester: Requester): Promise<Reservation | undefined>
  /**
   * Runs `work` in a transaction, whose last statement takes a place for `count`. The attempt therefore counts exactly
   * when `work` is committed, and no more attempts are committed than there are places. Use `commitCounted` when the
   * outcome of the attempt is already known: in contrast to `reserve`, it needs no transaction of its own and does not
   * wait for reservations.
   * @throws KeywardError `rate_limited` when no place is free; the errors of `work`. Nothing is committed then
   */
  commitCounted<T>(count: Count, requester: Requester, work: () => Promise<T>): Promise<T>
  /**
   * Refuses the attempt if this process knows that the key of `count` is exhausted. Does not read the database and
   * takes no place.
   * @throws KeywardError `rate_limited`
   */
  refuseKnown(count: Count): void
  /**
   * Closes an exhausted key: the next place is free only after the longest window of the rule, and the bucket is full
   * after twice this window.
   * @returns false when the key is not exhausted or is already closed. Of several concurrent calls, only one returns
   *   true
   */
  closeIfExhausted(count: Count): Promise<boolean>
  /** Gives back all places of a key. Does nothing when `closeIfExhausted` has closed the key. */
  refill(count: Count): Promise<void>
  /** Returns true when the setting `LIMITS` turns this rule off. */
  isOff(rule: RuleName): boolean
  /** The key of a typed name. The key is a MAC, because a person may type the password into the name field. */
  nameKey(name: string): string
  /**
   * Deletes the buckets of a user and of the user's `names`, in all networks, in short transactions. Wrong passwords
   * are then forgotten, and for a deleted user the id and the networks in the keys are erased. A process that remembers
   * such a bucket as exhausted may refuse attempts for 5 s more.
   */
  clearUser(id: number, names: readonly string[]): Promise<void>
  /**
   * Deletes up to `limit` full buckets, because a full bucket needs no row. @returns how many full buckets were found
   */
  cleanUp(limit: number): Promise<number>
}

/** The key of a user in a `Count`. The prefix `u` distinguishes the id from other keys. */
export const userKey = (id: number): string => `u${id}`

/** How many buckets one transaction of `clearUser` deletes, so that no other write waits for long. */
const BATCH = 500

export function createLimits(needs: LimitsNeeds): Limits {
  const { store: db, clock } = needs
  // 22 characters are 132 bits of the HMAC. These are enough that two names never share a key, and the row key is
  // short.
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
