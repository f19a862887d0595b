import { KeywardError } from '../../errors.ts'
import type { Clock, EpochMs } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { deriveKey, hmacSha256 } from '../../lib/hash.ts'
import type { Store } from '../../storage/store.ts'
import { createFront } from './front.ts'
import type { Rule, RuleName, Tier } from './rules.ts'
import * as store from './store.ts'

/** One count against one rule. */
export interface Count {
  rule: RuleName
  /** What is counted: a network, an account's number, a `nameKey`. */
  key: string
  /** Counts only if the first one of the list found its bucket full, that is, counts something not seen lately. */
  ifFirstIsNew?: boolean
}

/** What was counted; for giving it back. */
export type Taken = readonly Count[]

export interface Limiter {
  /**
   * Counts all of these, or none: the first rule that is over refuses, and what was counted before it is taken back.
   * Of many at once no more get through than the budget has places. List narrow keys before wide ones, so that who is
   * refused on his own account spends nothing of others'.
   * @throws KeywardError `rate_limited`
   */
  take(counts: readonly Count[]): Promise<Taken>
  /** As `take` for one count, but answers whether it was counted instead of refusing. */
  tryTake(count: Count): Promise<boolean>
  /** Takes back what turned out to be no offence. */
  giveBack(taken: Taken): Promise<void>
  /** Empties the count of one key: its owner has shown who they are. */
  clear(count: Pick<Count, 'rule' | 'key'>): Promise<void>
  /** Refuses a key for twice the longest window of its rule from now on; false when it was closed already. */
  close(count: Pick<Count, 'rule' | 'key'>): Promise<boolean>
  /** What a name that somebody typed is counted under: a MAC, since people type passwords into the wrong field. */
  nameKey(name: string): string
}

export interface LimiterOptions {
  store: Store
  clock: Clock
  rules: Readonly<Record<RuleName, Rule>>
  secret: string
  enabled: boolean
  /** Told when a key goes over, not for every refusal after that. */
  exceeded: (rule: RuleName) => void
}

/**
 * Limits that all processes of one database share. Each bucket is a row and each decision one statement (GCRA). A small
 * memory of keys known to be over answers a flood, so that a flood of requests is no flood of writes.
 */
export function createLimiter({ store: db, clock, rules, secret, enabled, exceeded }: LimiterOptions): Limiter {
  const front = createFront()
  const macKey = deriveKey(secret, 'keyward limit name v1')
  const nameKey = (name: string) => `n${toBase64Url(hmacSha256(macKey, name)).slice(0, 22)}`

  const rowKey = ({ rule, key }: Pick<Count, 'rule' | 'key'>, tier: number) => `${rule}/${tier}/${key}`
  const rowKeys = (count: Pick<Count, 'rule' | 'key'>) => rules[count.rule].map((_, tier) => rowKey(count, tier))

  function refusal(rule: RuleName, { budget, window }: Tier, until: EpochMs, now: EpochMs): KeywardError {
    const retryAfter = Math.max(1, Math.ceil((until - now) / 1_000))
    return new KeywardError('rate_limited', {
      retryAfter,
      limit: { name: rule, budget, windowSeconds: Math.round(window / 1_000) },
    })
  }

  /** Refuses what is known to be over without asking the database. */
  function checkFront(counts: readonly Count[], now: EpochMs): void {
    for (const count of counts)
      for (const [index, tier] of rules[count.rule].entries()) {
        const until = front.over(rowKey(count, index), now)
        if (until !== undefined) throw refusal(count.rule, tier, until, now)
      }
  }

  /** Takes a place in every tier of one rule; answers whether the bucket of its longest window was full. */
  async function takeOne(count: Count, now: EpochMs): Promise<boolean> {
    let isNew = false
    for (const [index, tier] of rules[count.rule].entries()) {
      const step = stepOf(tier)
      const spare = (tier.budget - 1) * step
      const key = rowKey(count, index)
      const fullAt = await store.take(db, { key, now, step, latest: now + spare })
      if (fullAt === undefined) {
        const until = ((await store.fullAt(db, key)) ?? now) - spare
        if (front.note(key, until)) exceeded(count.rule)
        throw refusal(count.rule, tier, until, now)
      }
      isNew = fullAt === now + step
    }
    return isNew
  }

  if (!enabled)
    return {
      take: async () => [],
      tryTake: async () => true,
      giveBack: async () => {},
      clear: async () => {},
      close: async () => false,
      nameKey,
    }

  const take = async (counts: readonly Count[]): Promise<Taken> => {
    const now = clock.now()
    checkFront(counts, now)
    return db.transaction(async () => {
      const taken: Count[] = []
      let firstIsNew = false
      for (const count of counts) {
        if (count.ifFirstIsNew && !firstIsNew) continue
        const isNew = await takeOne(count, now)
        if (taken.length === 0) firstIsNew = isNew
        taken.push(count)
      }
      return taken
    })
  }

  return {
    take,
    async tryTake(count) {
      try {
        await take([count])
        return true
      } catch (error) {
        if (error instanceof KeywardError && error.code === 'rate_limited') return false
        throw error
      }
    },
    async giveBack(taken) {
      if (taken.length === 0) return
      await db.transaction(async () => {
        for (const count of taken)
          for (const [index, tier] of rules[count.rule].entries())
            await store.giveBack(db, { key: rowKey(count, index), step: stepOf(tier) })
      })
    },
    async clear(count) {
      front.forget(rowKeys(count))
      await store.forget(db, rowKeys(count))
    },
    async close(count) {
      const longest = rules[count.rule].length - 1
      const tier = rules[count.rule][longest]
      if (!tier) return false
      const now = clock.now()
      // No count reaches further than one window from now, so what does was closed.
      return store.close(db, { key: rowKey(count, longest), until: now + 2 * tier.window, unless: now + tier.window })
    },
    nameKey,
  }
}

/** Milliseconds until one place of a bucket is free again. */
const stepOf = ({ budget, window }: Tier): number => Math.ceil(window / budget)
