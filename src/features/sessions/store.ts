import { and, desc, eq, gt, gte, isNull, lt, ne, notInArray, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { andThen, type MaybePromise } from '../../lib/maybe-promise.ts'
import { castPlaceholder, limitTo } from '../../storage/cast-placeholder.ts'
import { execute, named, queryRows, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { User } from '../users/users.ts'
import { aliveSql, notEndedSql, ofActiveUserSql } from './alive.store.ts'
import type { EndReason, Origin, StoredSession } from './session.ts'

const prepared = statements((db, { select, returning, change }) => {
  const { q, t } = db
  const { users, sessions } = t
  const notEnded = notEndedSql(t, named('now'))
  const alive = aliveSql(db, named('now'))
  const confirmedOfLive = q
    .select({ generation: sessions.confirmedGeneration })
    .from(sessions)
    .where(and(eq(sessions.id, named('sessionId')), notEnded, ofActiveUserSql(t)))
  const session = {
    id: sessions.id,
    userId: sessions.userId,
    epoch: sessions.epoch,
    amr: sessions.amr,
    authTime: sessions.authTime,
    generation: sessions.generation,
    confirmedGeneration: sessions.confirmedGeneration,
    macSalt: sessions.macSalt,
    createdAt: sessions.createdAt,
    refreshedAt: sessions.refreshedAt,
    expiresAt: sessions.expiresAt,
    endedAt: sessions.endedAt,
    ip: sessions.ip,
    userAgent: sessions.userAgent,
    lateRetries: sessions.lateRetries,
    lateRetriedAt: sessions.lateRetriedAt,
  }
  const confirmed = sql`(${confirmedOfLive})`.mapWith((generation): number | null => Number(generation))
  const ofUser = eq(sessions.userId, castPlaceholder('userId', 'bigint'))
  const othersOfUser = and(ofUser, ne(sessions.id, named('begun')), notEnded)
  const newestOfUser = q
    .select({ id: sessions.id })
    .from(sessions)
    .where(othersOfUser)
    .orderBy(desc(sessions.refreshedAt), desc(sessions.createdAt), desc(sessions.id))
    .limit(limitTo('keep'))
  const end = { endedAt: named('now'), endReason: named('reason'), reviewAt: named('now') }
  return {
    insert: change(
      q.insert(sessions).values({
        id: named('id'),
        userId: named('userId'),
        epoch: named('epoch'),
        amr: named('amr'),
        authTime: named('now'),
        macSalt: named('macSalt'),
        createdAt: named('now'),
        refreshedAt: named('now'),
        expiresAt: named('expiresAt'),
        reviewAt: named('expiresAt'),
        ip: named('ip'),
        userAgent: named('userAgent'),
        deviceName: named('deviceName'),
        loginNetwork: named('loginNetwork'),
        deviceId: named('deviceId'),
      }),
    ),
    userOfLiveSession: select({ ...userColumns(db), confirmed }, (q) =>
      q.from(users).where(eq(users.id, named('userId'))),
    ),
    confirm: change(
      q
        .update(sessions)
        .set({ confirmedGeneration: named('generation') })
        .where(and(eq(sessions.id, named('sessionId')), lt(sessions.confirmedGeneration, named('generation')))),
    ),
    withUser: select({ session, user: userColumns(db) }, (q) =>
      q
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(eq(sessions.id, castPlaceholder('id', 'text'))),
    ),
    rotate: change(
      q
        .update(sessions)
        .set({
          generation: named('next'),
          refreshedAt: named('now'),
          expiresAt: named('expiresAt'),
          ip: named('ip'),
          userAgent: named('userAgent'),
        })
        .where(and(eq(sessions.id, named('id')), eq(sessions.generation, named('generation')), alive)),
    ),
    countLateRetry: change(
      q
        .update(sessions)
        .set({ lateRetries: sql`${sessions.lateRetries} + 1`, lateRetriedAt: named('now') })
        .where(
          and(
            eq(sessions.id, named('id')),
            eq(sessions.generation, named('generation')),
            lt(sessions.confirmedGeneration, named('generation')),
            eq(sessions.lateRetries, named('lateRetries')),
            alive,
          ),
        ),
    ),
    endOne: change(
      q
        .update(sessions)
        .set(end)
        .where(and(eq(sessions.id, named('id')), eq(sessions.userId, named('userId')), alive)),
    ),
    endReused: change(
      q
        .update(sessions)
        .set(end)
        .where(and(eq(sessions.id, named('id')), gt(sessions.generation, named('presented')), alive)),
    ),
    endExcess: returning(
      { id: sessions.id },
      q
        .update(sessions)
        .set(end)
        .where(and(othersOfUser, notInArray(sessions.id, newestOfUser))),
    ),
  }
})

/** The parameters of a statement that writes a session: some columns, the origin of the request, and the time. */
type Written<Field extends keyof StoredSession> = Pick<StoredSession, Field> & Origin & { now: EpochMs }

type NewSession = Written<'id' | 'userId' | 'epoch' | 'amr' | 'macSalt' | 'expiresAt'> & {
  deviceName: string
  loginNetwork: string
  deviceId: string
}

export const insert = (db: Db, session: NewSession): Promise<unknown> =>
  execute(db, prepared(db).insert, { ...session })

/**
 * Keeps the session `begun` and, of the other sessions of the user, the `keep` most recently refreshed. Ends the rest.
 * @returns the ids of the ended sessions
 */
export async function endExcess(
  db: Db,
  by: { userId: number; begun: string; keep: number; now: EpochMs },
): Promise<string[]> {
  const ended = await queryRows(db, prepared(db).endExcess, { ...by, reason: 'too_many_sessions' satisfies EndReason })
  return ended.map((row) => row.id)
}

/**
 * The user of a live session, and the highest generation of the session that a client has used.
 * @returns undefined when the session is not alive, also because the user is inactive
 */
export const findUserOfLiveSession = (
  db: Db,
  by: { userId: number; sessionId: string; now: EpochMs },
): MaybePromise<{ user: User; confirmed: number } | undefined> =>
  andThen(readRows(db, prepared(db).userOfLiveSession, by), ([row]) =>
    row && row.confirmed !== null ? { user: row, confirmed: row.confirmed } : undefined,
  )

/** Records that a client has used this generation. The record ends the retry window of the previous refresh token. */
export const confirm = (
  db: Db,
  { userId, ...by }: { userId: number; sessionId: string; generation: number },
): Promise<unknown> => execute(db, prepared(db).confirm, by, { userId })

export const findWithUser = (db: Db, id: string): MaybePromise<{ session: StoredSession; user: User } | undefined> =>
  andThen(readRows(db, prepared(db).withUser, { id }), ([found]) => found)

/**
 * Moves a live session from `generation` to the next one.
 * @returns false when the session has another generation or is not alive
 */
export const rotate = async (
  db: Db,
  { userId, ...by }: Written<'id' | 'userId' | 'generation' | 'expiresAt'>,
): Promise<boolean> => (await execute(db, prepared(db).rotate, { ...by, next: by.generation + 1 }, { userId })) > 0

/**
 * Counts a late retry.
 * @returns false when the session is not alive, when its `generation` or `lateRetries` has changed, or when a client
 *   has used this generation. Nothing is written then
 */
export const countLateRetry = async (
  db: Db,
  by: { id: string; generation: number; lateRetries: number; now: EpochMs },
): Promise<boolean> => (await execute(db, prepared(db).countLateRetry, by)) > 0

/** Ends the session `id`. @returns false when the session is not alive or belongs to another user */
export const endOne = async (
  db: Db,
  by: { id: string; userId: number; reason: EndReason; now: EpochMs },
): Promise<boolean> => (await execute(db, prepared(db).endOne, by)) > 0

/**
 * Ends the session `id` if it is alive and its generation is above `presented`.
 * @returns true when this call ended the session. Of several concurrent calls, only one returns true
 */
export const endReused = async (db: Db, by: { id: string; presented: number; now: EpochMs }): Promise<boolean> =>
  (await execute(db, prepared(db).endReused, { ...by, reason: 'refresh_token_reused' satisfies EndReason })) > 0

/**
 * Moves a session from the previous epoch to `epoch`.
 * @returns false when the session has ended, has expired, or has another epoch
 */
export async function keepInEpoch(
  { q, t }: Db,
  { id, userId, epoch, now }: { id: string; userId: number; epoch: number; now: EpochMs },
): Promise<boolean> {
  const { sessions } = t
  const kept = await q
    .update(sessions)
    .set({ epoch })
    .where(and(eq(sessions.id, id), eq(sessions.userId, userId), eq(sessions.epoch, epoch - 1), notEndedSql(t, now)))
    .returning({ id: sessions.id })
  return kept.length > 0
}

/** Marks every session of a user with another epoch than `epoch` as ended. Such a session is already not alive. */
export const endOutsideEpoch = (
  { q, t: { sessions } }: Db,
  { userId, epoch, reason, now }: { userId: number; epoch: number; reason: EndReason; now: EpochMs },
): Promise<unknown> =>
  q
    .update(sessions)
    .set({ endedAt: now, endReason: reason, reviewAt: now })
    .where(and(eq(sessions.userId, userId), isNull(sessions.endedAt), ne(sessions.epoch, epoch)))

/** Ends up to `limit` sessions that have not ended or expired. @returns how many sessions ended */
export async function endSome(
  { q, t }: Db,
  { limit, reason, now }: { limit: number; reason: EndReason; now: EpochMs },
): Promise<number> {
  const { sessions } = t
  const some = q.select({ id: sessions.id }).from(sessions).where(notEndedSql(t, now)).limit(limit)
  const ended = await q
    .update(sessions)
    .set({ endedAt: now, endReason: reason, reviewAt: now })
    .where(and(sql`${sessions.id} in ${some}`, isNull(sessions.endedAt)))
    .returning({ id: sessions.id })
  return ended.length
}

/**
 * Handles sessions whose `reviewAt` is before `before`. Deletes up to `limit` sessions that ended or expired before
 * `before`. Sets `reviewAt` of up to `limit` other sessions to the time of their end or expiry: a refresh postpones the
 * expiry and does not change `reviewAt`.
 * @returns how many sessions were deleted or got another `reviewAt`
 */
export async function deleteOld(
  { q, t: { sessions } }: Db,
  { before, limit }: { before: EpochMs; limit: number },
): Promise<number> {
  const due = sql`${sessions.id} in ${q.select({ id: sessions.id }).from(sessions).where(lt(sessions.reviewAt, before)).limit(limit)}`
  const end = sql`case when ${sessions.endedAt} < ${sessions.expiresAt} then ${sessions.endedAt} else ${sessions.expiresAt} end`
  const deleted = await q
    .delete(sessions)
    .where(and(due, lt(end, before)))
    .returning({ id: sessions.id })
  const postponed = await q
    .update(sessions)
    .set({ reviewAt: end })
    .where(and(due, gte(end, before)))
    .returning({ id: sessions.id })
  return deleted.length + postponed.length
}
