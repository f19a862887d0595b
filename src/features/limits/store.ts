import { and, eq, gt, lt, lte, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { limitTo } from '../../storage/cast-placeholder.ts'
import { execute, named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ q, t: { limits } }, { select, returning, change }) => {
  const isKey = eq(limits.key, named('key'))
  return {
    take: returning(
      { fullAt: limits.fullAt },
      q
        .insert(limits)
        .values({ key: named('key'), fullAt: named('first'), takenAt: named('now'), takenBy: named('by') })
        .onConflictDoUpdate({
          target: limits.key,
          // `excluded.full_at` is now + step. For a full bucket the new `full_at` is now + step; for any other bucket
          // it is its own `full_at` + step.
          set: {
            fullAt: sql`case when ${limits.fullAt} > excluded.full_at - ${named('step')} then ${limits.fullAt} + ${named('step')} else excluded.full_at end`,
            takenAt: sql`excluded.taken_at`,
            takenBy: sql`excluded.taken_by`,
            othersTookAt: sql`case when ${limits.takenBy} = excluded.taken_by then ${limits.othersTookAt} else ${limits.takenAt} end`,
          },
          setWhere: lte(limits.fullAt, named('latest')),
        }),
    ),
    state: select(
      {
        fullAt: limits.fullAt,
        takenAt: limits.takenAt,
        takenBy: limits.takenBy,
        othersTookAt: limits.othersTookAt,
      },
      (q) => q.from(limits).where(isKey),
    ),
    giveBack: change(
      q
        .update(limits)
        .set({ fullAt: sql`${limits.fullAt} - ${named('step')}` })
        .where(isKey),
    ),
    clear: change(q.delete(limits).where(and(isKey, lte(limits.fullAt, named('furthest'))))),
    close: change(
      q
        .update(limits)
        .set({ fullAt: named('until') })
        .where(and(isKey, gt(limits.fullAt, named('latest')), lte(limits.fullAt, named('furthest')))),
    ),
    remove: change(q.delete(limits).where(isKey)),
    full: select({ key: limits.key }, (q) =>
      q
        .from(limits)
        .where(lt(limits.fullAt, named('now')))
        .limit(limitTo('limit')),
    ),
    deleteFull: change(q.delete(limits).where(and(isKey, lt(limits.fullAt, named('now'))))),
  }
})

/**
 * Takes one place of a bucket (GCRA) in one statement. A place is free if the bucket, after this place is taken, is
 * full no later than `latest + step`.
 * @param bucket.by the process that takes the place
 * @returns the time at which the bucket will be full; undefined when no place was free
 */
export async function take(
  db: Db,
  { key, now, step, latest, by }: { key: string; now: EpochMs; step: number; latest: EpochMs; by: string },
): Promise<EpochMs | undefined> {
  const [row] = await queryRows(db, prepared(db).take, { key, first: now + step, step, latest, now, by })
  return row?.fullAt
}

/** The row of a bucket. A bucket that has become full keeps its row until clean-up. */
export interface BucketState {
  /** When the bucket will be full. */
  fullAt: EpochMs
  takenAt: EpochMs | null
  takenBy: string | null
  othersTookAt: EpochMs | null
}

/** The state of a bucket; undefined when the bucket has no row, which means that it is full. */
export const findState = async (db: Db, key: string): Promise<BucketState | undefined> =>
  (await queryRows(db, prepared(db).state, { key }))[0]

/** Gives back one place. */
export const giveBack = (db: Db, bucket: { key: string; step: number }): Promise<unknown> =>
  execute(db, prepared(db).giveBack, bucket)

/** Fills a bucket by deleting its row. A closed bucket does not change: it will be full only after `furthest`. */
export const clear = (db: Db, bucket: { key: string; furthest: EpochMs }): Promise<unknown> =>
  execute(db, prepared(db).clear, bucket)

/**
 * Closes an exhausted bucket: it will be full at `until`.
 * @returns false when the bucket has a place, or is closed already and full only after `furthest`
 */
export const close = async (
  db: Db,
  bucket: { key: string; latest: EpochMs; furthest: EpochMs; until: EpochMs },
): Promise<boolean> => (await execute(db, prepared(db).close, bucket)) > 0

/** The keys of up to `limit` full buckets. A full bucket needs no row. */
export const findFull = async (db: Db, by: { now: EpochMs; limit: number }): Promise<string[]> =>
  (await queryRows(db, prepared(db).full, by)).map(({ key }) => key)

/** Deletes a bucket if it is still full. */
export const deleteFull = (db: Db, by: { key: string; now: EpochMs }): Promise<unknown> =>
  execute(db, prepared(db).deleteFull, by)

/** The row keys of all buckets, and of their reports, for a key in `counted`, alone or at a network. */
export async function keysOf({ q, t: { limits } }: Db, counted: readonly string[]): Promise<string[]> {
  // `_` in a pattern stands for any character, but in a key only for itself.
  const patterns = counted.map((key) => key.replaceAll('_', '\\_')).flatMap((key) => [`%/${key}`, `%/${key}@%`])
  const isOfOne = patterns.map((pattern) => sql`${limits.key} like ${pattern} escape '\\'`)
  const rows = await q
    .select({ key: limits.key })
    .from(limits)
    .where(or(...isOfOne))
  return rows.map(({ key }) => key)
}

export const remove = (db: Db, key: string): Promise<unknown> => execute(db, prepared(db).remove, { key })
