import { KeywardError } from '../../errors.ts'
import type { Clock, EpochMs } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { deriveKey, hmacSha256 } from '../../lib/hash.ts'
import type { Store } from '../../storage/store.ts'
import { createFront } from './front.ts'
import { createInFlight } from './in-flight.ts'
import { rankOf, reportKey, rowKey } from './row-keys.ts'
import type { Rule, RuleName, Tier } from './rules.ts'
import * as store from './store.ts'

/** One count against one rule. */
export interface Count {
  rule: RuleName
  /** What is counted: a network, an account's number, a `nameKey`. */
  key: string
  /** Counts only if this other rule of the same attempt counts something not seen lately; refuses in any case when over. */
  ifNewTo?: RuleName
}

/** Places that were taken, as if for an offence. Call one of the two once it is known; the first one counts. */
export interface Held {
  /** It was one: they stay taken. */
  keep(): void
  /**
   * It was none: they are taken back, and of `clear` the earlier ones too, since its owner has shown who they are. Inside
   * a transaction it is a part of that one, and if that fails, was not called.
   */
  giveBack(clear?: Count): Promise<void>
}

/** Who is told of when a limit is met. */
export interface Asker {
  userId?: number
  ip?: string
}

export interface LimitMet extends Asker {
  rule: RuleName
}

export interface Limiter {
  /**
   * Takes a place for each of these, or none: an attempt that is refused consumes nothing. Of many at once no more get
   * through than there are places; whoever finds none left because others are not decided yet waits for those.
   * @throws KeywardError `rate_limited`
   */
  take(counts: readonly Count[], asker: Asker): Promise<Held>
  /** As `take` for one count, but answers undefined instead of refusing, and reports nothing. */
  tryTake(count: Count): Promise<Held | undefined>
  /**
   * Refuses what this process knows to be over without asking the database. It takes nothing: who passes asks `take`.
   * @throws KeywardError `rate_limited`
   */
  refuseKnown(count: Count): void
  /** Refuses a key without a place left for twice the longest window of its rule; true for the one call that did it. */
  closeIfSpent(count: Count): Promise<boolean>
  /** What a name that somebody typed is counted under: a MAC, since people type passwords into the wrong field. */
  nameKey(name: string): string
}

export interface LimiterOptions {
  store: Store
  clock: Clock
  rules: Readonly<Record<RuleName, Rule>>
  secret: string
  enabled: boolean
  /** Told once in a window of each key that goes over, whichever process saw it; called in a transaction. */
  exceeded: (met: LimitMet) => Promise<void>
}

/** One tier of a rule for one key. */
interface Bucket {
  count: Count
  tier: Tier
  row: string
  /** Milliseconds until one place is free again. */
  step: number
  /** Milliseconds until all but one are. */
  spare: number
}

interface Refusal {
  bucket: Bucket
  until: EpochMs
  /** Not reported by this process yet, as far as it remembers. */
  isNews: boolean
}

/** Thrown inside a transaction to undo it. */
class Over extends Error {
  constructor(readonly refusal: Refusal) {
    super()
  }
}

/**
 * Limits that all processes of one database share. Each bucket is a row and each decision one statement (GCRA). A small
 * memory of keys known to be over answers a flood, so that a flood of requests is no flood of writes.
 */
export function createLimiter({ store: db, clock, rules, secret, enabled, exceeded }: LimiterOptions): Limiter {
  const front = createFront()
  const inFlight = createInFlight()
  const macKey = deriveKey(secret, 'keyward limit name v1')
  const nameKey = (name: string) => `n${toBase64Url(hmacSha256(macKey, name)).slice(0, 22)}`

  const bucketsOf = (count: Count): Bucket[] =>
    rules[count.rule].map((tier, index) => {
      const step = Math.ceil(tier.window / tier.budget)
      return { count, tier, row: rowKey(count.rule, index, count.key), step, spare: (tier.budget - 1) * step }
    })

  /** What is known to be over without asking the database. */
  function overInFront(buckets: readonly Bucket[], now: EpochMs): Refusal | undefined {
    for (const bucket of buckets) {
      const until = front.over(bucket.row, now)
      if (until !== undefined) return { bucket, until, isNews: false }
    }
  }

  /** Takes a place in every bucket, or none. */
  async function takeAll(counts: readonly Count[], now: EpochMs): Promise<Bucket[] | Refusal> {
    try {
      return await db.transaction(async () => {
        const taken: Bucket[] = []
        const fresh = new Set<RuleName>()
        for (const count of counts) {
          const buckets = bucketsOf(count)
          const counts = count.ifNewTo === undefined || fresh.has(count.ifNewTo)
          let isNew = true
          for (const bucket of buckets) {
            const latest = now + bucket.spare
            if (counts) {
              const fullAt = await store.take(db, { key: bucket.row, now, step: bucket.step, latest })
              if (fullAt === undefined) throw await overNow(bucket, now)
              isNew = fullAt === now + bucket.step
              taken.push(bucket)
            } else if (((await store.fullAt(db, bucket.row)) ?? now) > latest) throw await overNow(bucket, now)
          }
          // What the longest window does not remember is new, and so is everything to a rule that is off.
          if (isNew) fresh.add(count.rule)
        }
        return taken
      })
    } catch (error) {
      if (error instanceof Over) return error.refusal
      throw error
    }
  }

  const overNow = async (bucket: Bucket, now: EpochMs): Promise<Over> =>
    new Over({ bucket, until: ((await store.fullAt(db, bucket.row)) ?? now) - bucket.spare, isNews: false })

  async function attempt(wanted: readonly Count[]): Promise<Held | Refusal> {
    const counts = wanted.toSorted((a, b) => rankOf(a.rule) - rankOf(b.rule))
    const buckets = counts.flatMap(bucketsOf)
    const rows = buckets.map(({ row }) => row)
    for (;;) {
      const now = clock.now()
      const known = overInFront(buckets, now)
      if (known) return known
      inFlight.begin(rows)
      let outcome: Bucket[] | Refusal | undefined
      try {
        outcome = await takeAll(counts, now)
      } finally {
        if (!Array.isArray(outcome)) inFlight.end(rows, false)
      }
      if (Array.isArray(outcome)) return hold(rows, outcome)
      const change = inFlight.change(outcome.bucket.row)
      if (change === undefined) {
        const { bucket, until } = outcome
        return { bucket, until, isNews: front.note(bucket.row, until, now, bucket.tier.window) }
      }
      await change
    }
  }

  function hold(rows: readonly string[], taken: readonly Bucket[]): Held {
    let settled = false
    const settle = (freed: boolean) => {
      if (settled) return
      settled = true
      inFlight.end(rows, freed)
    }
    return {
      keep: () => settle(false),
      async giveBack(clear) {
        if (settled) return
        const now = clock.now()
        await db.transaction(async () => {
          for (const { count, row: key, step, spare } of taken)
            if (count.rule === clear?.rule) await store.clear(db, { key, furthest: now + spare + step })
            else await store.giveBack(db, { key, step })
          db.afterCommit(() => settle(true))
        })
      },
    }
  }

  async function report({ bucket: { count, tier, row } }: Refusal, asker: Asker): Promise<void> {
    const now = clock.now()
    await db.transaction(async () => {
      if ((await store.take(db, { key: reportKey(row), now, step: tier.window, latest: now })) !== undefined)
        await exceeded({ ...asker, rule: count.rule })
    })
  }

  if (!enabled)
    return {
      take: async () => unlimited,
      tryTake: async () => unlimited,
      refuseKnown() {},
      closeIfSpent: async () => false,
      nameKey,
    }

  return {
    async take(counts, asker) {
      const outcome = await attempt(counts)
      if ('keep' in outcome) return outcome
      if (outcome.isNews) await report(outcome, asker)
      throw refused(outcome, clock.now())
    },
    async tryTake(count) {
      const outcome = await attempt([count])
      return 'keep' in outcome ? outcome : undefined
    },
    refuseKnown(count) {
      const now = clock.now()
      const known = overInFront(bucketsOf(count), now)
      if (known) throw refused(known, now)
    },
    async closeIfSpent(count) {
      const bucket = bucketsOf(count).at(-1)
      if (!bucket) return false
      const now = clock.now()
      const latest = now + bucket.spare
      const until = now + 2 * bucket.tier.window
      // No count reaches further than one place beyond the last; what does was closed.
      return store.close(db, { key: bucket.row, latest, furthest: latest + bucket.step, until })
    },
    nameKey,
  }
}

const unlimited: Held = { keep() {}, giveBack: async () => {} }

function refused({ bucket: { count, tier }, until }: Refusal, now: EpochMs): KeywardError {
  return new KeywardError('rate_limited', {
    retryAfter: Math.max(1, Math.ceil((until - now) / 1_000)),
    limit: { name: count.rule, budget: tier.budget, windowSeconds: Math.round(tier.window / 1_000) },
  })
}
