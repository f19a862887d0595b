import { and, eq, gt, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { andThen, type MaybePromise } from '../../lib/maybe-promise.ts'
import { named, readRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { User } from '../users/users.ts'
import { notEndedSql, ofActiveUserSql } from './alive.store.ts'
import { endedColumns } from './end.store.ts'
import type { EndedSession, EndReason } from './session.ts'

/* Statements about the sessions of clients. */

const prepared = statements((db, { select }) => {
  const { q, t } = db
  const { users, sessions, clients } = t
  const confirmedOfLive = q
    .select({ generation: sessions.confirmedGeneration })
    .from(sessions)
    .where(
      and(
        eq(sessions.id, named('sessionId')),
        eq(sessions.clientId, named('clientId')),
        notEndedSql(t, named('now')),
        ofActiveUserSql(t),
      ),
    )
  const roleOfEnabled = q
    .select({ role: sql`coalesce(${clients.requiredRole}, '')` })
    .from(clients)
    .where(and(eq(clients.id, named('clientId')), eq(clients.isEnabled, true)))
  return {
    // Scalar subselects cost SQLite a seventh of a join with both tables.
    userOfLive: select(
      {
        ...userColumns(db),
        confirmed: sql`(${confirmedOfLive})`.mapWith((generation): number | null => Number(generation)),
        requiredRole: sql`(${roleOfEnabled})`.mapWith((role): string | null => String(role)),
      },
      (q) => q.from(users).where(eq(users.id, named('userId'))),
    ),
  }
})

/**
 * The user of a live session of a client, with what the client needs of its users. One statement, because every request
 * to `/userinfo` runs it.
 * @returns undefined when the session is not alive, and when its client is disabled or deleted; `requiredRole` is null
 *   when the client takes every user
 */
export const findUserOfLive = (
  db: Db,
  by: { userId: number; sessionId: string; clientId: string; now: EpochMs },
): MaybePromise<{ user: User; confirmed: number; requiredRole: string | null } | undefined> =>
  andThen(readRows(db, prepared(db).userOfLive, by), ([row]) =>
    row && row.confirmed !== null && row.requiredRole !== null
      ? { user: row, confirmed: row.confirmed, requiredRole: row.requiredRole || null }
      : undefined,
  )

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

/** The name of a client, which a mail tells the user; undefined when the client was deleted. */
export async function findClientName({ q, t: { clients } }: Db, id: string): Promise<string | undefined> {
  const [row] = await q.select({ name: clients.name }).from(clients).where(eq(clients.id, id))
  return row?.name
}

/** Ends up to `limit` live sessions of a client, or all of one user at the client. */
export function endOfClient(
  { q, t }: Db,
  by: { clientId: string; userId: number | undefined; reason: EndReason; limit: number; now: EpochMs },
): Promise<EndedSession[]> {
  const { sessions } = t
  const { clientId, userId, reason, limit, now } = by
  const ofClient = and(eq(sessions.clientId, clientId), notEndedSql(t, now))
  const some = q.select({ id: sessions.id }).from(sessions).where(and(ofClient, isOfClient)).limit(limit)
  // Each condition has one index that serves it: that of the user, or the ids of a part of the client's sessions.
  const which =
    userId === undefined
      ? and(inArray(sessions.id, some), isNull(sessions.endedAt))
      : and(eq(sessions.userId, userId), ofClient)
  return q
    .update(sessions)
    .set({ endedAt: now, endReason: reason, reviewAt: now })
    .where(which)
    .returning(endedColumns(t))
}

/**
 * Marks up to `limit` sessions of clients that have expired as ended, so that the clients are told. Looks again later at
 * up to `limit` others, whose expiry a refresh has postponed.
 * @returns the ended sessions, and how many sessions are looked at again later
 */
export async function endExpired(
  { q, t }: Db,
  { limit, now }: { limit: number; now: EpochMs },
): Promise<{ ended: EndedSession[]; postponed: number }> {
  const { sessions } = t
  const due = and(isOfClient, isNull(sessions.endedAt), lte(sessions.reviewAt, now))
  const some = inArray(sessions.id, q.select({ id: sessions.id }).from(sessions).where(due).limit(limit))
  const ended = await q
    .update(sessions)
    .set({ endedAt: sessions.expiresAt, endReason: 'expired' satisfies EndReason })
    .where(and(some, due, lte(sessions.expiresAt, now)))
    .returning(endedColumns(t))
  const postponed = await q
    .update(sessions)
    .set({ reviewAt: sessions.expiresAt })
    .where(and(some, due, gt(sessions.expiresAt, now)))
    .returning({ id: sessions.id })
  return { ended, postponed: postponed.length }
}

/** A condition in the words of the partial indexes of the sessions of clients. */
const isOfClient = sql`kind = 'client'`

export async function isBelow(
  { q, t: { sessions } }: Db,
  { id, browserId }: { id: string; browserId: string },
): Promise<boolean> {
  const rows = await q
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.id, id), eq(sessions.parentId, browserId)))
  return rows.length > 0
}
