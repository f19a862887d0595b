import { eq, inArray, lt, lte, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, statements } from '../../storage/store.ts'

const prepared = statements(({ q, t: { limits } }) => {
  const named = sql.placeholder
  return {
    take: q
      .insert(limits)
      .values({ key: named('key'), fullAt: named('first') })
      .onConflictDoUpdate({
        target: limits.key,
        // `excluded.full_at` is now + step: a bucket that is full counts from now, another one from where it stands.
        set: {
          fullAt: sql`case when ${limits.fullAt} > excluded.full_at - ${named('step')} then ${limits.fullAt} + ${named('step')} else excluded.full_at end`,
        },
        setWhere: lte(limits.fullAt, named('latest')),
      })
      .returning({ fullAt: limits.fullAt })
      .prepare(),
  }
})

/**
 * Takes one place of a bucket, in one statement, or none (GCRA): it is taken if the bucket would be full again no later
 * than `latest + step`. Answers when it will be full, undefined if nothing was taken.
 */
export async function take(
  db: Db,
  { key, now, step, latest }: { key: string; now: EpochMs; step: number; latest: EpochMs },
): Promise<EpochMs | undefined> {
  const [row] = await prepared(db).take.execute({ key, first: now + step, step, latest })
  return row?.fullAt
}

export async function fullAt({ q, t: { limits } }: Db, key: string): Promise<EpochMs | undefined> {
  const [row] = await q.select({ fullAt: limits.fullAt }).from(limits).where(eq(limits.key, key))
  return row?.fullAt
}

/** Gives back one place. */
export async function giveBack({ q, t: { limits } }: Db, { key, step }: { key: string; step: number }): Promise<void> {
  await q
    .update(limits)
    .set({ fullAt: sql`${limits.fullAt} - ${step}` })
    .where(eq(limits.key, key))
}

/** Keeps a bucket empty until a moment; false when it is past `unless` already. */
export async function close(
  { q, t: { limits } }: Db,
  { key, until, unless }: { key: string; until: EpochMs; unless: EpochMs },
): Promise<boolean> {
  const closed = await q
    .insert(limits)
    .values({ key, fullAt: until })
    .onConflictDoUpdate({ target: limits.key, set: { fullAt: until }, setWhere: lte(limits.fullAt, unless) })
    .returning({ key: limits.key })
  return closed.length > 0
}

export const forget = ({ q, t: { limits } }: Db, keys: string[]): Promise<unknown> =>
  q.delete(limits).where(inArray(limits.key, keys))

/** Deletes up to `limit` buckets that are full, and so say nothing; answers how many. */
export async function deleteFull(
  { q, t: { limits } }: Db,
  { now, limit }: { now: EpochMs; limit: number },
): Promise<number> {
  const full = q.select({ key: limits.key }).from(limits).where(lt(limits.fullAt, now)).limit(limit)
  const gone = await q.delete(limits).where(inArray(limits.key, full)).returning({ key: limits.key })
  return gone.length
}
