import type { Tier } from '../../config/limits.ts'
import { KeywardError } from '../../errors.ts'
import type { EpochMs } from '../../lib/clock.ts'
import { randomId, systemRandom } from '../../lib/random.ts'
import type { WriteOptions } from '../../storage/store.ts'
import { createExhaustedKeys } from './exhausted-keys.ts'
import type { Count, Limits, LimitsNeeds, Requester, Reservation } from './limits.ts'
import { createOthersPlaces } from './others-places.ts'
import { createPending } from './pending.ts'
import { rankOf, reportKey, rowKey } from './row-keys.ts'
import type { RuleName } from './rules.ts'
import * as store from './store.ts'

export type Limiter = Pick<
  Limits,
  'reserve' | 'reserveUnder' | 'tryReserve' | 'commitCounted' | 'refuseKnown' | 'closeIfExhausted' | 'refill' | 'isOff'
>

/** One tier of a rule for one key. */
interface Bucket {
  count: Count
  tier: Tier
  row: string
  /** Milliseconds until one place is free again. */
  step: number
  /** Milliseconds until all places but one are free again. */
  spare: number
}

interface Refusal {
  bucket: Bucket
  until: EpochMs
  /** Until this time, another process may give back a place of the bucket. */
  undecidedUntil: EpochMs
}

/** Thrown inside a transaction to roll the transaction back, because a bucket has no free place. */
class Exhausted extends Error {
  constructor(readonly refusal: Refusal) {
    super()
  }
}

/**
 * Makes rate limits by GCRA (generic cell rate algorithm). Each bucket is one row, and a conditional statement takes a
 * place. The process remembers exhausted keys. Otherwise a flood of requests would cause a flood of writes.
 */
export function createLimiter({ store: db, clock, log, audit, rules, undecidedMs }: LimitsNeeds): Limiter {
  const exhausted = createExhaustedKeys()
  const pending = createPending()
  // The id of this process in the column `taken_by` of the rows whose places this process takes.
  const by = randomId(systemRandom)
  const others = createOthersPlaces(clock)

  const bucketsOf = (count: Count): Bucket[] =>
    rules[count.rule].map((tier, index) => {
      const step = Math.ceil(tier.window / tier.budget)
      return { count, tier, row: rowKey(count.rule, index, count.key), step, spare: (tier.budget - 1) * step }
    })

  function refusalInMemory(buckets: readonly Bucket[], now: EpochMs): Refusal | undefined {
    for (const bucket of buckets) {
      const until = exhausted.until(bucket.row, now)
      if (until !== undefined) return { bucket, until, undecidedUntil: now }
    }
  }

  /**
   * Takes the places for all `counts` in one transaction, or no place when a count has no free place. A count whose
   * `ifNewTo` does not hold needs a free place, but takes none.
   */
  async function takeAll(counts: readonly Count[], now: EpochMs, options: WriteOptions): Promise<Bucket[] | Refusal> {
    try {
      return await db.transaction(async () => {
        const taken: Bucket[] = []
        const newRules = new Set<RuleName>()
        let together: Count[] = []
        const takeTogether = async () => {
          const { buckets, newTo } = await take(together, now)
          taken.push(...buckets)
          for (const rule of newTo) newRules.add(rule)
          together = []
        }
        for (const count of counts) {
          if (count.ifNewTo !== undefined) await takeTogether()
          if (count.ifNewTo === undefined || newRules.has(count.ifNewTo)) together.push(count)
          else await requirePlace(count, now)
        }
        await takeTogether()
        return taken
      }, options)
    } catch (error) {
      if (error instanceof Exhausted) return error.refusal
      throw error
    }
  }

  /**
   * Takes a place for each count in one statement. Call this function in a transaction.
   * @returns `newTo` has the rules whose bucket with the longest window was full before
   * @throws Exhausted when a count has no free place. The transaction must then be rolled back, because other places
   *   were taken
   */
  async function take(counts: readonly Count[], now: EpochMs): Promise<{ buckets: Bucket[]; newTo: RuleName[] }> {
    const buckets = counts.flatMap(bucketsOf)
    const wanted = buckets.map(({ row, step, spare }) => ({ key: row, step, latest: now + spare }))
    const fullAt = wanted.length === 0 ? [] : await store.take(db, wanted, { now, by })
    const spent = buckets.find((_, at) => fullAt[at] === undefined)
    if (spent) throw await exhaustedNow(spent, now)
    const isNew = (count: Count) => {
      // The last tier decides, because the last tier has the longest window. A rule without tiers (`off`) is always
      // new.
      const last = buckets.findLastIndex((bucket) => bucket.count === count)
      return last === -1 || fullAt[last] === now + buckets[last]!.step
    }
    return { buckets, newTo: counts.filter(isNew).map(({ rule }) => rule) }
  }

  /** Checks that a place is free, and does not take the place. @throws Exhausted when no place is free */
  async function requirePlace(count: Count, now: EpochMs): Promise<void> {
    for (const bucket of bucketsOf(count))
      if (((await store.findState(db, bucket.row))?.fullAt ?? now) > now + bucket.spare)
        throw await exhaustedNow(bucket, now)
  }

  async function exhaustedNow(bucket: Bucket, now: EpochMs): Promise<Exhausted> {
    const state = await store.findState(db, bucket.row)
    const othersTookAt = state?.takenBy === by ? state.othersTookAt : state?.takenAt
    return new Exhausted({
      bucket,
      until: (state?.fullAt ?? now) - bucket.spare,
      undecidedUntil: othersTookAt == null ? now : othersTookAt + undecidedMs,
    })
  }

  const freePlaces = async ({ row, spare, step }: Bucket): Promise<number> => {
    const now = clock.now()
    const fullAt = (await store.findState(db, row))?.fullAt ?? now
    return Math.floor((now + spare - fullAt) / step) + 1
  }

  async function attempt(wanted: readonly Count[], { userId }: WriteOptions): Promise<Reservation | Refusal> {
    const counts = wanted.toSorted((a, b) => rankOf(a.rule) - rankOf(b.rule))
    const buckets = counts.flatMap(bucketsOf)
    const rows = buckets.map(({ row }) => row)
    const waitsUntil = clock.monotonic() + undecidedMs
    for (;;) {
      const now = clock.now()
      const known = refusalInMemory(buckets, now)
      if (known) return known
      pending.begin(rows)
      let outcome: Bucket[] | Refusal | undefined
      try {
        outcome = await takeAll(counts, now, { userId, powerCutMayUndo: true })
      } finally {
        if (!Array.isArray(outcome)) pending.end(rows, { freed: false })
      }
      if (Array.isArray(outcome)) return reservation(rows, outcome, { userId })
      const { bucket, until, undecidedUntil } = outcome
      // A place has become free since `takeAll` found none.
      if (until <= now) continue
      const forMs = Math.min(undecidedUntil - now, waitsUntil - clock.monotonic())
      const wait =
        pending.nextSettled(bucket.row) ??
        (forMs > 0 ? others.nextChange(bucket.row, { forMs, freePlaces: () => freePlaces(bucket) }) : undefined)
      if (wait === undefined) {
        // The refusal is remembered only if it is final: no unsettled reservation can give a place of the bucket back.
        const isFinal = undecidedUntil <= now && !pending.has(bucket.row)
        if (isFinal) exhausted.note(bucket.row, { until, now })
        return outcome
      }
      await wait
    }
  }

  function reservation(rows: readonly string[], taken: readonly Bucket[], options: WriteOptions): Reservation {
    let isSettled = false
    const settle = (freed: boolean) => {
      if (isSettled) return
      isSettled = true
      pending.end(rows, { freed })
    }
    const giveBack = async (clear: readonly RuleName[] = []) => {
      if (isSettled) return
      const now = clock.now()
      await db.transaction(async () => {
        const back = taken.map((bucket) =>
          clear.includes(bucket.count.rule)
            ? refilled(bucket, now)
            : { key: bucket.row, step: bucket.step, refillUntil: now },
        )
        if (back.length > 0) await store.giveBack(db, back, now)
        db.afterCommit(() => settle(true))
      }, options)
    }
    return {
      keep: () => settle(false),
      giveBack,
      async [Symbol.asyncDispose]() {
        try {
          await giveBack()
        } finally {
          // This settles the reservation if `giveBack` failed. Otherwise attempts that wait for it would never end.
          settle(false)
        }
      },
    }
  }

  /** Records at most one audit event for each key and window, in all processes together. */
  async function report({ bucket: { count, tier, row } }: Refusal, { userId, ip }: Requester): Promise<void> {
    const now = clock.now()
    // `mustReport` returns false unless `exhausted` has the key, so only a final refusal is reported.
    if (!exhausted.mustReport(row, { now, window: tier.window })) return
    const { rule } = count
    await db.transaction(
      async () => {
        const [isFirst] = await store.take(db, [{ key: reportKey(row), step: tier.window, latest: now }], { now, by })
        if (isFirst === undefined) return
        await audit.record({ event: 'limit.exceeded', userId, ip, details: { rule } })
        db.afterCommit(() => log.warn('limit_exceeded', { rule, user_id: userId }))
      },
      { userId },
    )
  }

  async function reserveUnder(
    roof: Count | undefined,
    counts: readonly Count[],
    requester: Requester,
  ): Promise<Reservation | undefined> {
    const outcome = await attempt(roof ? [...counts, roof] : counts, requester)
    if ('keep' in outcome) return outcome
    await report(outcome, requester)
    if (outcome.bucket.count.rule === roof?.rule) return undefined
    throw rateLimited(outcome, clock.now())
  }

  async function commitCounted<T>(count: Count, requester: Requester, work: () => Promise<T>): Promise<T> {
    try {
      return await db.transaction(async () => {
        const value = await work()
        await take([count], clock.now())
        return value
      }, requester)
    } catch (error) {
      if (!(error instanceof Exhausted)) throw error
      const { bucket, until } = error.refusal
      const now = clock.now()
      exhausted.note(bucket.row, { until, now })
      await report(error.refusal, requester)
      throw rateLimited(error.refusal, now)
    }
  }

  return {
    reserve: async (counts, requester) => (await reserveUnder(undefined, counts, requester))!,
    reserveUnder,
    commitCounted,
    async tryReserve(counts, requester) {
      const outcome = await attempt(counts, requester)
      return 'keep' in outcome ? outcome : undefined
    },
    refuseKnown(count) {
      const now = clock.now()
      const known = refusalInMemory(bucketsOf(count), now)
      if (known) throw rateLimited(known, now)
    },
    async closeIfExhausted(count) {
      const bucket = bucketsOf(count).at(-1)
      if (!bucket) return false
      const now = clock.now()
      const latest = now + bucket.spare
      const until = now + 2 * bucket.tier.window
      // An open bucket is full at `furthest` at the latest. `store.close` does not change a bucket that is full later,
      // because such a bucket is already closed.
      return store.close(db, { key: bucket.row, latest, furthest: latest + bucket.step, until })
    },
    async refill(count) {
      const now = clock.now()
      for (const { row: key, spare, step } of bucketsOf(count))
        await store.clear(db, { key, furthest: now + spare + step })
    },
    isOff: (rule) => rules[rule].length === 0,
  }
}

/** The arguments with which `store.giveBack` gives back all places of a bucket, except of a closed bucket. */
const refilled = ({ row, spare, step }: Bucket, now: EpochMs) => ({
  key: row,
  step: 0,
  refillUntil: now + spare + step,
})

function rateLimited({ bucket: { count, tier }, until }: Refusal, now: EpochMs): KeywardError {
  return new KeywardError('rate_limited', {
    retryAfter: Math.max(1, Math.ceil((until - now) / 1_000)),
    limit: { name: count.rule, budget: tier.budget, windowSeconds: Math.round(tier.window / 1_000) },
  })
}
