import { and, eq, gt, lt, lte, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { change, type Db, direct, run, statements } from '../../storage/store.ts'

const prepared = statements(({ q, t: { limits } }) => {
  const named = sql.placeholder
  const isKey = eq(limits.key, named('key'))
  return {
    take: direct(
      { fullAt: limits.fullAt },
      q
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
    ),
    fullAt: direct({ fullAt: limits.fullAt }, q.select({ fullAt: limits.fullAt }).from(limits).where(isKey).prepare()),
    giveBack: direct(
      {},
      q
        .update(limits)
        .set({ fullAt: sql`${limits.fullAt} - ${named('step')}` })
        .where(isKey)
        .prepare(),
    ),
    clear: direct(
      {},
      q
        .delete(limits)
        .where(and(isKey, lte(limits.fullAt, named('furthest'))))
        .prepare(),
    ),
    close: q
      .update(limits)
      .set({ fullAt: named('until') as never })
      .where(and(isKey, gt(limits.fullAt, named('latest')), lte(limits.fullAt, named('furthest'))))
      .returning({ key: limits.key })
      .prepare(),
    full: q
      .select({ key: limits.key })
      .from(limits)
      .where(lt(limits.fullAt, named('now')))
      .limit(named('limit'))
      .prepare(),
    deleteFull: q
      .delete(limits)
      .where(and(isKey, lt(limits.fullAt, named('now'))))
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
  const [row] = await run(db, prepared(db).take, { key, first: now + step, step, latest })
  return row?.fullAt
}

/** When a bucket will be full again; undefined when it is. */
export const fullAt = async (db: Db, key: string): Promise<EpochMs | undefined> =>
  (await run(db, prepared(db).fullAt, { key }))[0]?.fullAt

/** Gives back one place. */
export const giveBack = (db: Db, bucket: { key: string; step: number }): Promise<unknown> =>
  change(db, prepared(db).giveBack, bucket)

/** Fills a bucket, unless it was closed: that is, will be full no sooner than after `furthest`. */
export const clear = (db: Db, bucket: { key: string; furthest: EpochMs }): Promise<unknown> =>
  change(db, prepared(db).clear, bucket)

/** Keeps a bucket that has no place left empty until a moment; true for exactly one of many at once. */
export const close = async (
  db: Db,
  bucket: { key: string; latest: EpochMs; furthest: EpochMs; until: EpochMs },
): Promise<boolean> => (await prepared(db).close.execute(bucket)).length > 0

/** Up to `limit` buckets that are full, and so say nothing. */
export const findFull = async (db: Db, by: { now: EpochMs; limit: number }): Promise<string[]> =>
  (await prepared(db).full.execute(by)).map(({ key }) => key)

/** Deletes a bucket if it is still full. */
export const deleteFull = (db: Db, by: { key: string; now: EpochMs }): Promise<unknown> =>
  prepared(db).deleteFull.execute(by)
