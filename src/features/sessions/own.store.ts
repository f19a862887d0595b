import {
  and,
  asc,
  count,
  desc,
  eq,
  getTableColumns,
  gt,
  inArray,
  isNotNull,
  isNull,
  lte,
  ne,
  or,
  sql,
} from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { castPlaceholder, limitTo } from '../../storage/cast-placeholder.ts'
import { execute, named, queryRows, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { aliveSql } from './alive.store.ts'
import type { SessionChecks, SessionKind, SessionSummary } from './session.ts'

/* Statements that list a user's sessions, check them before the user ends sessions, and delete the ended ones. */

const prepared = statements((db, { select, change }) => {
  const { q, t } = db
  const { sessions, clients } = t
  const alive = aliveSql(db, named('now'))
  const ofUser = eq(sessions.userId, castPlaceholder('userId', 'bigint'))
  return {
    nameDevice: change(
      q
        .update(sessions)
        .set({ deviceName: named('name') })
        .where(and(eq(sessions.id, named('id')), isNull(sessions.deviceName))),
    ),
    liveOf: select({ clientId: sessions.clientId }, (q) =>
      q.from(sessions).where(and(eq(sessions.id, castPlaceholder('id', 'text')), ofUser, alive)),
    ),
    otherLive: select({ id: sessions.id }, (q) =>
      q
        .from(sessions)
        .where(and(ofUser, ne(sessions.id, named('sessionId')), alive))
        .limit(limitTo(1)),
    ),
    checks: select(
      {
        authTime: sessions.authTime,
        mfaTime: sessions.mfaTime,
        amr: sessions.amr,
        kind: sql<SessionKind>`${sessions.kind}`,
        isRemembered: sessions.isRemembered,
      },
      (q) => q.from(sessions).where(and(eq(sessions.id, castPlaceholder('sessionId', 'text')), ofUser)),
    ),
    listLive: select(
      {
        id: sessions.id,
        createdAt: sessions.createdAt,
        lastUsedAt: sessions.refreshedAt,
        expiresAt: sessions.expiresAt,
        ip: sessions.ip,
        userAgent: sessions.userAgent,
        deviceName: sessions.deviceName,
        amr: sessions.amr,
        kind: sql<SessionKind>`${sessions.kind}`,
        clientId: sessions.clientId,
        clientName: sql<string | null>`(${q
          .select({ name: clients.name })
          .from(clients)
          .where(eq(clients.id, sessions.clientId))})`,
        isOffline: sessions.isOffline,
      },
      (q) => q.from(sessions).where(and(ofUser, alive)).orderBy(desc(sessions.refreshedAt), desc(sessions.createdAt)),
    ),
  }
})

/** Stores the device name of a session that has none. */
export const nameDevice = (db: Db, by: { id: string; name: string }): Promise<unknown> =>
  execute(db, prepared(db).nameDevice, by)

/** The client of the live session `id` of this user; undefined when this user has no such live session. */
export const findLive = async (
  db: Db,
  by: { id: string; userId: number; now: EpochMs },
): Promise<{ clientId: string | null } | undefined> => (await readRows(db, prepared(db).liveOf, by))[0]

/** Returns true when the user has a live session other than `sessionId`. */
export const hasOtherLive = async (db: Db, by: { userId: number; sessionId: string; now: EpochMs }): Promise<boolean> =>
  (await readRows(db, prepared(db).otherLive, by)).length > 0

/** Counts the live sessions of a user. */
export async function countLive(db: Db, { userId, now }: { userId: number; now: EpochMs }): Promise<number> {
  const { sessions } = db.t
  const [row] = await db.q
    .select({ live: count() })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), aliveSql(db, now)))
  return row?.live ?? 0
}

/** What was checked in a session, and when; undefined when this user has no such session. */
export const findChecks = async (
  db: Db,
  by: { userId: number; sessionId: string },
): Promise<SessionChecks | undefined> => (await readRows(db, prepared(db).checks, by))[0]

/** The live sessions of a user, the most recently refreshed session first. */
export const listLive = (db: Db, by: { userId: number; now: EpochMs }): Promise<SessionSummary[]> =>
  queryRows(db, prepared(db).listLive, by)

/** Deletes up to `limit` sessions of a user that have ended or expired. @returns how many were deleted */
export async function deleteOver(
  { q, t: { sessions } }: Db,
  { userId, limit, now }: { userId: number; limit: number; now: EpochMs },
): Promise<number> {
  const isOver = or(isNotNull(sessions.endedAt), lte(sessions.expiresAt, now))
  const over = q
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), isOver))
    .limit(limit)
  return (await q.delete(sessions).where(inArray(sessions.id, over)).returning({ id: sessions.id })).length
}

/** Up to `limit` sessions of a user, alive or not, with an id above `after`, by id. Without epoch and key material. */
export function pageOfUser(
  { q, t: { sessions } }: Db,
  { userId, after, limit }: { userId: number; after: string; limit: number },
) {
  const {
    userId: _userId,
    epoch: _epoch,
    confirmedGeneration: _confirmed,
    macSalt: _salt,
    reviewAt: _reviewAt,
    ...columns
  } = getTableColumns(sessions)
  return q
    .select(columns)
    .from(sessions)
    .where(and(eq(sessions.userId, userId), gt(sessions.id, after)))
    .orderBy(asc(sessions.id))
    .limit(limit)
}
