import { and, eq, inArray, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import { notEndedSql } from './alive.store.ts'
import { endedColumns } from './end.store.ts'
import type { EndedSession, EndReason } from './session.ts'

/* Statements about the sessions of clients. */

/** The user of the session `id` of a client, alive or not; undefined when no client, or not this one, owns it. */
export async function findUserId(
  { q, t: { sessions } }: Db,
  id: string,
  clientId?: string,
): Promise<number | undefined> {
  const owned = clientId === undefined ? isOfClient : eq(sessions.clientId, clientId)
  const [row] = await q
    .select({ userId: sessions.userId })
    .from(sessions)
    .where(and(eq(sessions.id, id), owned))
  return row?.userId
}

/** Ends up to `limit` live sessions of a client, or all of one user at the client. */
export function endOfClient(
  { q, t }: Db,
  by: { clientId: string; userId: number | undefined; reason: EndReason; limit: number; now: EpochMs },
): Promise<EndedSession[]> {
  const { sessions } = t
  const { clientId, userId, reason, limit, now } = by
  const live = and(eq(sessions.clientId, clientId), isOfClient, notEndedSql(t, now))
  const some = inArray(sessions.id, q.select({ id: sessions.id }).from(sessions).where(live).limit(limit))
  return q
    .update(sessions)
    .set({ endedAt: now, endReason: reason, reviewAt: now })
    .where(and(userId === undefined ? some : eq(sessions.userId, userId), live))
    .returning(endedColumns(t))
}

/** A condition in the words of the partial indexes of the sessions of clients. */
const isOfClient = sql`kind = 'client'`
