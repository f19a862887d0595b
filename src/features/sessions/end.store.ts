import { and, desc, eq, gt, isNull, ne, notInArray, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { castPlaceholder, limitTo } from '../../storage/cast-placeholder.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { aliveSql, notEndedSql } from './alive.store.ts'
import type { EndedSession, EndReason, SessionKind } from './session.ts'

/* Statements that end sessions. Each returns the sessions that it has ended, for `followEnd`. */

export const endedColumns = ({ sessions }: Db['t']) => ({
  id: sessions.id,
  userId: sessions.userId,
  kind: sql<SessionKind>`${sessions.kind}`,
  clientId: sessions.clientId,
})

const prepared = statements((db, { select, returning }) => {
  const { q, t } = db
  const { sessions } = t
  const notEnded = notEndedSql(t, named('now'))
  const alive = aliveSql(db, named('now'))
  const ended = endedColumns(t)
  const ofUser = eq(sessions.userId, castPlaceholder('userId', 'bigint'))
  const othersOfUser = and(ofUser, ne(sessions.id, named('begun')), notEnded)
  const logins = and(othersOfUser, ne(sessions.kind, 'client'))
  const ofClient = and(othersOfUser, eq(sessions.clientId, castPlaceholder('clientId', 'text')))
  const newestOf = (others: typeof logins) =>
    q
      .select({ id: sessions.id })
      .from(sessions)
      .where(others)
      .orderBy(desc(sessions.refreshedAt), desc(sessions.createdAt), desc(sessions.id))
      .limit(limitTo('keep'))
  const end = () =>
    q.update(sessions).set({ endedAt: named('now'), endReason: named('reason'), reviewAt: named('now') })
  const endWhere = (which: typeof logins) => returning(ended, end().where(which))
  const ofId = eq(sessions.id, named('id'))
  return {
    one: endWhere(and(ofId, eq(sessions.userId, named('userId')), alive)),
    reused: endWhere(and(ofId, gt(sessions.generation, named('presented')), alive)),
    excess: endWhere(and(logins, notInArray(sessions.id, newestOf(logins)))),
    countOfClient: select({ others: sql<number>`count(*)`.mapWith(Number) }, (q) => q.from(sessions).where(ofClient)),
    excessOfClient: endWhere(and(ofClient, notInArray(sessions.id, newestOf(ofClient)))),
    browser: endWhere(and(ofId, eq(sessions.kind, 'browser'), notEnded)),
    below: endWhere(
      and(eq(sessions.parentId, castPlaceholder('parentId', 'text')), eq(sessions.isOffline, false), notEnded),
    ),
  }
})

/** Ends the session `id`. @returns undefined when the session is not alive or belongs to another user */
export const endOne = async (
  db: Db,
  by: { id: string; userId: number; reason: EndReason; now: EpochMs },
): Promise<EndedSession | undefined> => (await queryRows(db, prepared(db).one, by))[0]

/**
 * Ends the session `id` if it is alive and its generation is above `presented`.
 * @returns undefined when this call did not end the session. Of several concurrent calls, only one ends it
 */
export const endReused = async (
  db: Db,
  by: { id: string; presented: number; now: EpochMs },
): Promise<EndedSession | undefined> =>
  (await queryRows(db, prepared(db).reused, { ...by, reason: 'refresh_token_reused' satisfies EndReason }))[0]

/**
 * Keeps the session `begun` and, of the other sessions of the user, the `keep` most recently used. Ends the rest.
 * Sessions of clients neither count nor end.
 */
export const endExcess = (
  db: Db,
  by: { userId: number; begun: string; keep: number; reason: EndReason; now: EpochMs },
): Promise<EndedSession[]> => queryRows(db, prepared(db).excess, by)

/**
 * Does the same as `endExcess` for the sessions of a user at one client. Call it under the user's lock: it counts first,
 * because it rarely has anything to end.
 */
export async function endExcessOfClient(
  db: Db,
  by: { userId: number; clientId: string; begun: string; keep: number; reason: EndReason; now: EpochMs },
): Promise<EndedSession[]> {
  const [counted] = await queryRows(db, prepared(db).countOfClient, by)
  return counted!.others > by.keep ? queryRows(db, prepared(db).excessOfClient, by) : []
}

/** Ends the browser session `id`, whoever is its user. @returns undefined when it has ended or expired */
export const endBrowser = async (
  db: Db,
  by: { id: string; reason: EndReason; now: EpochMs },
): Promise<EndedSession | undefined> => (await queryRows(db, prepared(db).browser, by))[0]

/** Ends the sessions of clients in a browser session, except those that are offline. */
export const endBelow = (db: Db, by: { parentId: string; reason: EndReason; now: EpochMs }): Promise<EndedSession[]> =>
  queryRows(db, prepared(db).below, by)

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
  { q, t }: Db,
  { userId, epoch, reason, now }: { userId: number; epoch: number; reason: EndReason; now: EpochMs },
): Promise<EndedSession[]> => {
  const { sessions } = t
  return q
    .update(sessions)
    .set({ endedAt: now, endReason: reason, reviewAt: now })
    .where(and(eq(sessions.userId, userId), isNull(sessions.endedAt), ne(sessions.epoch, epoch)))
    .returning(endedColumns(t))
}

/** Ends up to `limit` sessions that have not ended or expired. */
export function endSome(
  { q, t }: Db,
  { limit, reason, now }: { limit: number; reason: EndReason; now: EpochMs },
): Promise<EndedSession[]> {
  const { sessions } = t
  const some = q.select({ id: sessions.id }).from(sessions).where(notEndedSql(t, now)).limit(limit)
  return q
    .update(sessions)
    .set({ endedAt: now, endReason: reason, reviewAt: now })
    .where(and(sql`${sessions.id} in ${some}`, isNull(sessions.endedAt)))
    .returning(endedColumns(t))
}
