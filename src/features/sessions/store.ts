import { and, eq, gte, lt, lte, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { andThen, type MaybePromise } from '../../lib/maybe-promise.ts'
import { castPlaceholder } from '../../storage/cast-placeholder.ts'
import { execute, named, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { User } from '../users/users.ts'
import { aliveSql, notEndedSql, ofActiveUserSql } from './alive.store.ts'
import type { Origin, SessionKind, StoredSession } from './session.ts'

const prepared = statements((db, { select, change }) => {
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
    kind: sql<SessionKind>`${sessions.kind}`,
    clientId: sessions.clientId,
    scope: sessions.scope,
    resources: sessions.resources,
    parentId: sessions.parentId,
    isOffline: sessions.isOffline,
    isRemembered: sessions.isRemembered,
  }
  const confirmed = sql`(${confirmedOfLive})`.mapWith((generation): number | null => Number(generation))
  return {
    insert: change(
      q.insert(sessions).values({
        id: named('id'),
        userId: named('userId'),
        epoch: named('epoch'),
        amr: named('amr'),
        authTime: named('authTime'),
        mfaTime: named('mfaTime'),
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
        kind: named('kind'),
        clientId: named('clientId'),
        scope: named('scope'),
        resources: named('resources'),
        parentId: named('parentId'),
        isOffline: named('isOffline'),
        isRemembered: named('isRemembered'),
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
        .where(
          and(
            eq(sessions.id, named('id')),
            sql`${sessions.clientId} is not distinct from ${named('clientId')}`,
            sql`${sessions.parentId} is not distinct from ${named('parentId')}`,
            eq(sessions.generation, named('generation')),
            alive,
          ),
        ),
    ),
    raise: change(
      q
        .update(sessions)
        .set({
          amr: named('amr'),
          authTime: named('now'),
          mfaTime: sql`coalesce(${castPlaceholder('mfaTime', 'bigint')}, ${sessions.mfaTime})`,
          macSalt: named('macSalt'),
          generation: named('next'),
          refreshedAt: named('now'),
          expiresAt: named('expiresAt'),
        })
        .where(and(eq(sessions.id, named('id')), eq(sessions.generation, named('generation')), alive)),
    ),
    recordUse: change(
      q
        .update(sessions)
        .set({ refreshedAt: named('now'), expiresAt: named('expiresAt') })
        .where(
          and(
            eq(sessions.id, named('id')),
            eq(sessions.kind, 'browser'),
            lte(sessions.refreshedAt, named('before')),
            alive,
          ),
        ),
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
  }
})

/** The parameters of a statement that writes a session: some columns, the origin of the request, and the time. */
type Written<Field extends keyof StoredSession> = Pick<StoredSession, Field> & Origin & { now: EpochMs }

/** The columns that only a session of a client has. */
type OfClient = Pick<StoredSession, 'clientId' | 'scope' | 'resources' | 'parentId' | 'isOffline'>

/** The values of the columns `OfClient` in every other session. */
export const ofNoClient: OfClient = { clientId: null, scope: null, resources: null, parentId: null, isOffline: false }

type NewSession = Written<'id' | 'userId' | 'epoch' | 'amr' | 'authTime' | 'macSalt' | 'expiresAt'> &
  OfClient &
  Pick<StoredSession, 'kind' | 'isRemembered'> & {
    /** When a second factor was checked; null without one. */
    mfaTime: EpochMs | null
    deviceName: string | null
    loginNetwork: string | null
    deviceId: string | null
  }

export const insert = (db: Db, session: NewSession): Promise<unknown> =>
  execute(db, prepared(db).insert, { ...session })

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
 * Moves a live session of the client, or of no client, from `generation` to the next one. `expiresAt` depends on the
 * browser session `parentId`.
 * @returns false when the session has another generation, client or browser session, or is not alive
 */
export const rotate = async (
  db: Db,
  { userId, ...by }: Written<'id' | 'userId' | 'clientId' | 'parentId' | 'generation' | 'expiresAt'>,
): Promise<boolean> => (await execute(db, prepared(db).rotate, { ...by, next: by.generation + 1 }, { userId })) > 0

/**
 * Records what was shown in a live session, and moves it from `generation` to the next one.
 * @param by.mfaTime null leaves the time of the last check of a second factor as it is
 * @returns false when the session has another generation, or is not alive
 */
export const raise = async (
  db: Db,
  by: Pick<StoredSession, 'id' | 'generation' | 'amr' | 'macSalt' | 'expiresAt'> & {
    mfaTime: EpochMs | null
    now: EpochMs
  },
): Promise<boolean> => (await execute(db, prepared(db).raise, { ...by, next: by.generation + 1 })) > 0

/** Records a use of a live browser session that was last used at `before` or earlier. */
export const recordUse = (
  db: Db,
  { userId, ...by }: { id: string; userId: number; before: EpochMs; now: EpochMs; expiresAt: EpochMs },
): Promise<unknown> => execute(db, prepared(db).recordUse, by, { userId })

/**
 * Counts a late retry.
 * @returns false when the session is not alive, when its `generation` or `lateRetries` has changed, or when a client
 *   has used this generation. Nothing is written then
 */
export const countLateRetry = async (
  db: Db,
  by: { id: string; generation: number; lateRetries: number; now: EpochMs },
): Promise<boolean> => (await execute(db, prepared(db).countLateRetry, by)) > 0

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
