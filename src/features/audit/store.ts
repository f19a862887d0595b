import { and, asc, between, desc, eq, getTableColumns, gte, inArray, isNotNull, lt, max, or } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { execute, named, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { AuditEvent, AuditFilter, AuditRow } from './events.ts'

const prepared = statements(({ q, t: { auditEvents } }, { change }) => ({
  insert: change(
    q.insert(auditEvents).values({
      at: named('at'),
      event: named('event'),
      userId: named('userId'),
      actorId: named('actorId'),
      sessionId: named('sessionId'),
      ip: named('ip'),
      ipWholeSince: named('ipWholeSince'),
      details: named('details'),
    }),
  ),
}))

export async function insert(db: Db, { at, ...event }: AuditEvent & { at: EpochMs }): Promise<void> {
  await execute(db, prepared(db).insert, {
    at,
    event: event.event,
    userId: event.userId ?? null,
    actorId: event.actorId ?? null,
    sessionId: event.sessionId ?? null,
    ip: event.ip ?? null,
    ipWholeSince: event.ip === undefined ? null : at,
    details: event.details ? JSON.stringify(event.details) : null,
  })
}

/** The details of the last event of a kind of each of these users, of those who have one. */
export async function lastDetails(
  { q, t: { auditEvents: a } }: Db,
  { event, userIds }: { event: AuditEvent['event']; userIds: readonly number[] },
): Promise<{ userId: number | null; details: string | null }[]> {
  const last = q
    .select({ id: max(a.id) })
    .from(a)
    .where(and(inArray(a.userId, [...userIds]), eq(a.event, event)))
    .groupBy(a.userId)
  return q.select({ userId: a.userId, details: a.details }).from(a).where(inArray(a.id, last))
}

/** Implements `Audit.list`. */
export function list({ q, t: { auditEvents: a } }: Db, filter: AuditFilter): Promise<AuditRow[]> {
  const { ipWholeSince: _, ...columns } = getTableColumns(a)
  return q
    .select(columns)
    .from(a)
    .where(
      and(
        filter.event === undefined ? undefined : eq(a.event, filter.event),
        filter.userId === undefined ? undefined : eq(a.userId, filter.userId),
        filter.since === undefined ? undefined : gte(a.at, filter.since),
        filter.before === undefined ? undefined : lt(a.id, filter.before),
      ),
    )
    .orderBy(desc(a.id))
    .limit(filter.limit)
}

/** Returns up to `limit` rows that were written before `before` and still have a whole IP address. */
export const withWholeIp = ({ q, t: { auditEvents: a } }: Db, { before, limit }: { before: EpochMs; limit: number }) =>
  q.select({ id: a.id, ip: a.ip }).from(a).where(lt(a.ipWholeSince, before)).limit(limit)

/** Replaces the whole IP address of these rows. A row whose IP address was erased after it was read is not written. */
export const setIp = ({ q, t: { auditEvents: a } }: Db, ids: number[], ip: string | null): Promise<unknown> =>
  q
    .update(a)
    .set({ ip, ipWholeSince: null })
    .where(and(inArray(a.id, ids), isNotNull(a.ipWholeSince)))

export const addErasure = (
  { q, t: { auditErasures } }: Db,
  erasure: { userId: number; nextId: number; keepUntil: EpochMs },
): Promise<unknown> => q.insert(auditErasures).values(erasure).onConflictDoNothing()

export const erasures = ({ q, t: { auditErasures } }: Db): Promise<{ userId: number; keepUntil: EpochMs }[]> =>
  q.select({ userId: auditErasures.userId, keepUntil: auditErasures.keepUntil }).from(auditErasures)

/** The ids of up to `limit` events of a user in `audit_erasures` that are not erased yet, in ascending order. */
export async function eventsToErase(db: Db, { userId, limit }: { userId: number; limit: number }): Promise<number[]> {
  const {
    q,
    t: { auditErasures },
  } = db
  const [erasure] = await q
    .select({ nextId: auditErasures.nextId })
    .from(auditErasures)
    .where(eq(auditErasures.userId, userId))
  return erasure === undefined ? [] : eventsOf(db, { userId, from: erasure.nextId, limit })
}

/** The ids of up to `limit` events of a user, in ascending order, the first at or above `from`. */
export async function eventsOf(
  { q, t: { auditEvents: a } }: Db,
  { userId, from, limit }: { userId: number; from: number; limit: number },
): Promise<number[]> {
  const ofUser = and(eq(a.userId, userId), gte(a.id, from))
  return (await q.select({ id: a.id }).from(a).where(ofUser).orderBy(asc(a.id)).limit(limit)).map(({ id }) => id)
}

/**
 * Removes the IP address and the session id from the user's events with the ids `first` to `last`. Events that have
 * neither are not written.
 */
export const erase = (
  { q, t: { auditEvents: a } }: Db,
  { userId, first, last }: { userId: number; first: number; last: number },
): Promise<unknown> =>
  q
    .update(a)
    .set({ ip: null, ipWholeSince: null, sessionId: null })
    .where(and(eq(a.userId, userId), between(a.id, first, last), or(isNotNull(a.ip), isNotNull(a.sessionId))))

/** Raises `next_id`. A lower `nextId` changes nothing: another process may have erased more events meanwhile. */
export const advanceErasure = (
  { q, t: { auditErasures } }: Db,
  { userId, nextId }: { userId: number; nextId: number },
): Promise<unknown> =>
  q
    .update(auditErasures)
    .set({ nextId })
    .where(and(eq(auditErasures.userId, userId), lt(auditErasures.nextId, nextId)))

export const removeErasure = ({ q, t: { auditErasures } }: Db, userId: number): Promise<unknown> =>
  q.delete(auditErasures).where(eq(auditErasures.userId, userId))

/** Deletes up to `limit` rows that were written before `before`. @returns the number of deleted rows */
export async function deleteBefore(
  { q, t: { auditEvents: a } }: Db,
  { before, limit }: { before: EpochMs; limit: number },
): Promise<number> {
  const old = q.select({ id: a.id }).from(a).where(lt(a.at, before)).limit(limit)
  return (await q.delete(a).where(inArray(a.id, old)).returning({ id: a.id })).length
}
