import { and, asc, eq, gt, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'

const prepared = statements((db, { select, returning }) => {
  const { q, t } = db
  const { totpFactors } = t
  return {
    confirmedOf: select({ id: totpFactors.id, secret: totpFactors.secret, lastStep: totpFactors.lastStep }, (from) =>
      from.from(totpFactors).where(and(eq(totpFactors.userId, named('userId')), isNotNull(totpFactors.confirmedAt))),
    ),
    useStep: returning(
      { id: totpFactors.id },
      q
        .update(totpFactors)
        .set({ lastStep: named('step'), lastUsedAt: named('now') })
        .where(
          and(
            eq(totpFactors.id, named('id')),
            isNotNull(totpFactors.confirmedAt),
            or(isNull(totpFactors.lastStep), lt(totpFactors.lastStep, named('step'))),
          ),
        ),
    ),
  }
})

/** The confirmed authenticator apps of a user, with their sealed secrets. */
export const confirmedOf = (
  db: Db,
  userId: number,
): Promise<{ id: number; secret: string; lastStep: number | null }[]> =>
  queryRows(db, prepared(db).confirmedOf, { userId })

/** Uses a step, and with it all earlier ones. @returns false when the step, or a later one, was used before */
export const useStep = async (db: Db, use: { id: number; step: number; now: EpochMs }): Promise<boolean> =>
  (await queryRows(db, prepared(db).useStep, use)).length > 0

/** Adds a factor that no code has confirmed, with an empty secret. @returns its id, which the seal of the secret needs */
export async function insertPending(
  { q, t: { totpFactors } }: Db,
  row: { userId: number; name: string; createdAt: EpochMs },
): Promise<number> {
  const [added] = await q
    .insert(totpFactors)
    .values({ ...row, secret: '' })
    .returning({ id: totpFactors.id })
  return added!.id
}

export const setSecret = (
  { q, t: { totpFactors } }: Db,
  { id, secret }: { id: number; secret: string },
): Promise<unknown> => q.update(totpFactors).set({ secret }).where(eq(totpFactors.id, id))

/** Deletes the factors of a user that no code has confirmed. */
export const removePending = ({ q, t: { totpFactors } }: Db, userId: number): Promise<unknown> =>
  q.delete(totpFactors).where(and(eq(totpFactors.userId, userId), isNull(totpFactors.confirmedAt)))

const isPending = ({ totpFactors }: Db['t'], { id, userId, since }: { id: number; userId: number; since: EpochMs }) =>
  and(
    eq(totpFactors.id, id),
    eq(totpFactors.userId, userId),
    isNull(totpFactors.confirmedAt),
    gt(totpFactors.createdAt, since),
  )

/** A factor that waits for its first code and was begun after `since`. */
export async function findPending(
  { q, t }: Db,
  by: { id: number; userId: number; since: EpochMs },
): Promise<{ name: string; secret: string } | undefined> {
  const { totpFactors } = t
  const found = await q
    .select({ name: totpFactors.name, secret: totpFactors.secret })
    .from(totpFactors)
    .where(isPending(t, by))
  return found[0]
}

/** Confirms a pending factor, and uses the step of its code. @returns false when it was confirmed or removed meanwhile */
export async function confirm(
  { q, t }: Db,
  { step, now, ...by }: { id: number; userId: number; since: EpochMs; step: number; now: EpochMs },
): Promise<boolean> {
  const { totpFactors } = t
  const confirmed = await q
    .update(totpFactors)
    .set({ confirmedAt: now, lastUsedAt: now, lastStep: step })
    .where(isPending(t, by))
    .returning({ id: totpFactors.id })
  return confirmed.length > 0
}

/** Uses `step` and all before it, of every factor. */
export const useStepOfAll = ({ q, t: { totpFactors } }: Db, step: number): Promise<unknown> =>
  q
    .update(totpFactors)
    .set({ lastStep: step })
    .where(and(isNotNull(totpFactors.confirmedAt), or(isNull(totpFactors.lastStep), lt(totpFactors.lastStep, step))))

/** Deletes up to `limit` factors that no code has confirmed until `before`. @returns how many */
export async function removeOldPending(
  { q, t: { totpFactors } }: Db,
  { before, limit }: { before: EpochMs; limit: number },
): Promise<number> {
  const isOld = and(isNull(totpFactors.confirmedAt), lt(totpFactors.createdAt, before))
  const old = q.select({ id: totpFactors.id }).from(totpFactors).where(isOld).limit(limit)
  const removed = await q
    .delete(totpFactors)
    .where(and(isOld, inArray(totpFactors.id, old)))
    .returning({ id: totpFactors.id })
  return removed.length
}

/** Up to `limit` factors whose seals begin with `prefix`, with ids above `after`, by id. */
export const sealsWith = (
  { q, t: { totpFactors } }: Db,
  { prefix, after, limit }: { prefix: string; after: number; limit: number },
): Promise<{ id: number; secret: string }[]> =>
  q
    .select({ id: totpFactors.id, secret: totpFactors.secret })
    .from(totpFactors)
    .where(and(gt(totpFactors.id, after), sql`substr(${totpFactors.secret}, 1, ${prefix.length}) = ${prefix}`))
    .orderBy(asc(totpFactors.id))
    .limit(limit)

/** Up to `limit` factors of all users with ids above `after`, by id. */
export const sealsAfter = (
  { q, t: { totpFactors } }: Db,
  { after, limit }: { after: number; limit: number },
): Promise<{ id: number; userId: number; secret: string }[]> =>
  q
    .select({ id: totpFactors.id, userId: totpFactors.userId, secret: totpFactors.secret })
    .from(totpFactors)
    .where(gt(totpFactors.id, after))
    .orderBy(asc(totpFactors.id))
    .limit(limit)

/** Replaces the seal `from` of a secret by `to`. Does nothing when another process has replaced `from` before. */
export const replaceSeal = (
  { q, t: { totpFactors } }: Db,
  { id, from, to }: { id: number; from: string; to: string },
): Promise<unknown> =>
  q
    .update(totpFactors)
    .set({ secret: to })
    .where(and(eq(totpFactors.id, id), eq(totpFactors.secret, from)))
