import { type AnyColumn, and, eq, gt, lt, lte, or, type SQL, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { castPlaceholder, limitTo } from '../../storage/cast-placeholder.ts'
import { execute, named, queryRows, statements, statementsBySize } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements(({ q, t: { limits } }, { select, change }) => {
  const isKey = eq(limits.key, named('key'))
  return {
    state: select(
      {
        fullAt: limits.fullAt,
        takenAt: limits.takenAt,
        takenBy: limits.takenBy,
        othersTookAt: limits.othersTookAt,
      },
      (q) => q.from(limits).where(isKey),
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

/*
 * A login takes a place in ten buckets and gives these places back. One statement for all buckets saves eighteen round
 * trips to PostgreSQL, and on SQLite more than a tenth of the CPU time that limits add to a login.
 */

/** Returns one function per row, which adds the number of the row to a name: `key` becomes `key0`, `key1` and so on. */
const eachRow = (size: number) => Array.from({ length: size }, (_, at) => (name: string) => `${name}${at}`)

/** The values for the placeholders whose names `eachRow` makes. */
const valuesOf = (rows: readonly Record<string, unknown>[]): Record<string, unknown> =>
  Object.fromEntries(rows.flatMap((row, at) => Object.entries(row).map(([name, value]) => [`${name}${at}`, value])))

/** SQL for the value `name` of the row whose key equals `key`. */
const byKey = (key: AnyColumn, name: string, size: number): SQL => {
  const cases = eachRow(size).map((row) => sql`when ${named(row('key'))} then ${castPlaceholder(row(name), 'bigint')}`)
  return sql`case ${key} ${sql.join(cases, sql` `)} end`
}

const takePlaces = statementsBySize(({ q, t: { limits } }, { returning }, size) =>
  returning(
    { key: limits.key, fullAt: limits.fullAt },
    q
      .insert(limits)
      .values(
        eachRow(size).map((row) => ({
          key: named(row('key')),
          fullAt: named(row('first')),
          takenAt: named('now'),
          takenBy: named('by'),
        })),
      )
      .onConflictDoUpdate({
        target: limits.key,
        // `excluded.taken_at` is now, and `excluded.full_at` is now + step. The new `full_at` of a full bucket is
        // now + step. The new `full_at` of any other bucket is the old `full_at` + step.
        set: {
          fullAt: sql`case when ${limits.fullAt} > excluded.taken_at then ${limits.fullAt} + excluded.full_at - excluded.taken_at else excluded.full_at end`,
          takenAt: sql`excluded.taken_at`,
          takenBy: sql`excluded.taken_by`,
          othersTookAt: sql`case when ${limits.takenBy} = excluded.taken_by then ${limits.othersTookAt} else ${limits.takenAt} end`,
        },
        setWhere: lte(limits.fullAt, byKey(limits.key, 'latest', size)),
      }),
  ),
)

// This INSERT locks the rows in the order of its values. An UPDATE would lock its rows in an order that PostgreSQL
// chooses, so two such statements could wait for each other (a deadlock).
const givePlacesBack = statementsBySize(({ q, t: { limits } }, { change }, size) =>
  change(
    q
      .insert(limits)
      .values(eachRow(size).map((row) => ({ key: named(row('key')), fullAt: named('now') })))
      .onConflictDoUpdate({
        target: limits.key,
        set: {
          fullAt: sql`case when ${limits.fullAt} <= ${byKey(limits.key, 'refillUntil', size)} then excluded.full_at else ${limits.fullAt} - ${byKey(limits.key, 'step', size)} end`,
        },
      }),
  ),
)

/**
 * Takes one place of each bucket (GCRA) in one statement, which locks the rows in the order of `buckets`. A bucket has
 * a free place if it will be full at `latest` or before.
 * @param buckets with different keys
 * @param options.by the process that takes the places
 * @returns for each bucket the new time at which the bucket will be full, or undefined when the bucket had no free
 *   place
 */
export async function take(
  db: Db,
  buckets: readonly { key: string; step: number; latest: EpochMs }[],
  { now, by }: { now: EpochMs; by: string },
): Promise<(EpochMs | undefined)[]> {
  const rows = buckets.map(({ key, step, latest }) => ({ key, first: now + step, latest }))
  const taken = await queryRows(db, takePlaces(db, rows.length), { ...valuesOf(rows), now, by })
  return buckets.map((bucket) => taken.find(({ key }) => key === bucket.key)?.fullAt)
}

/**
 * Gives back places of each bucket in one statement, which locks the rows in the order of `buckets`. A bucket that
 * would be full at `refillUntil` or before is then full at once. Any other bucket will be full `step` earlier. A bucket
 * without a row gets a row, as a full bucket.
 * @param buckets with different keys
 */
export const giveBack = (
  db: Db,
  buckets: readonly { key: string; step: number; refillUntil: EpochMs }[],
  now: EpochMs,
): Promise<unknown> => execute(db, givePlacesBack(db, buckets.length), { ...valuesOf(buckets), now })

/** The row of a bucket. A full bucket can still have a row, which the next clean-up deletes. */
export interface BucketState {
  /** The time from which the bucket is full: no place is taken. */
  fullAt: EpochMs
  takenAt: EpochMs | null
  takenBy: string | null
  othersTookAt: EpochMs | null
}

/** The state of a bucket; undefined when the bucket has no row, because a bucket without a row is full. */
export const findState = async (db: Db, key: string): Promise<BucketState | undefined> =>
  (await queryRows(db, prepared(db).state, { key }))[0]

/**
 * Gives back all places of a bucket by deleting its row. Does nothing when the bucket is full only after `furthest`.
 */
export const clear = (db: Db, bucket: { key: string; furthest: EpochMs }): Promise<unknown> =>
  execute(db, prepared(db).clear, bucket)

/**
 * Closes an exhausted bucket: the bucket becomes full at `until`, later than it would, so its next place is free later.
 * A bucket that is full at `latest` or before has a free place. A bucket that is full after `furthest` is closed already.
 * @returns true when this call closed the bucket
 */
export const close = async (
  db: Db,
  bucket: { key: string; latest: EpochMs; furthest: EpochMs; until: EpochMs },
): Promise<boolean> => (await execute(db, prepared(db).close, bucket)) > 0

/** The keys of up to `limit` full buckets that have a row. */
export const findFull = async (db: Db, by: { now: EpochMs; limit: number }): Promise<string[]> =>
  (await queryRows(db, prepared(db).full, by)).map(({ key }) => key)

/** Deletes the row of a bucket if the bucket is still full. */
export const deleteFull = (db: Db, by: { key: string; now: EpochMs }): Promise<unknown> =>
  execute(db, prepared(db).deleteFull, by)

/**
 * The keys of all rows that count a key of `counted`, alone or in any network: buckets, and the rows that prevent a
 * second audit event about an exhausted bucket.
 */
export async function keysOf({ q, t: { limits } }: Db, counted: readonly string[]): Promise<string[]> {
  // A key can contain `_`, which a pattern of LIKE would compare with any character.
  const patterns = counted.map((key) => key.replaceAll('_', '\\_')).flatMap((key) => [`%/${key}`, `%/${key}@%`])
  const isOfOne = patterns.map((pattern) => sql`${limits.key} like ${pattern} escape '\\'`)
  const rows = await q
    .select({ key: limits.key })
    .from(limits)
    .where(or(...isOfOne))
  return rows.map(({ key }) => key)
}

export const remove = (db: Db, key: string): Promise<unknown> => execute(db, prepared(db).remove, { key })
