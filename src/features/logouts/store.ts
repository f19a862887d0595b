import { and, asc, count, eq, exists, inArray, isNotNull, lt, lte, notExists, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { limitTo } from '../../storage/cast-placeholder.ts'
import { execute, named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import type { Delivery, EndedSession } from './logouts.ts'

const prepared = statements(({ q, t: { logoutDeliveries: rows, clients }, dialect }, { select, returning, change }) => {
  const row = {
    id: rows.id,
    clientId: rows.clientId,
    sessionId: rows.sessionId,
    userId: rows.userId,
    attempts: rows.attempts,
    createdAt: rows.createdAt,
  }
  const isDue = and(eq(rows.clientId, named('clientId')), lte(rows.nextAt, named('now')))
  const due = q.select({ id: rows.id }).from(rows).where(isDue).orderBy(asc(rows.nextAt)).limit(limitTo('limit'))
  // SKIP LOCKED leaves out the logouts that another process is just claiming.
  const lock = dialect === 'postgresql' ? sql` for update skip locked` : sql``
  const attempt = and(eq(rows.id, named('id')), eq(rows.attempts, named('attempts')))
  const dueOfClient = q
    .select({ id: rows.id })
    .from(rows)
    .where(and(eq(rows.clientId, clients.id), lte(rows.nextAt, named('now'))))
  const wanting = q
    .select({ id: clients.id })
    .from(clients)
    .where(and(eq(clients.id, rows.clientId), isNotNull(clients.backchannelLogoutUri)))
  return {
    clientsDue: select({ id: clients.id }, (q) =>
      q
        .from(clients)
        .where(and(isNotNull(clients.backchannelLogoutUri), exists(dueOfClient)))
        .orderBy(asc(clients.id)),
    ),
    claim: returning(
      row,
      q
        .update(rows)
        .set({ attempts: sql`${rows.attempts} + 1`, nextAt: named('until') })
        .where(sql`${rows.id} in (${due}${lock})`),
    ),
    finish: change(q.delete(rows).where(attempt)),
    postpone: change(
      q
        .update(rows)
        .set({ nextAt: named('nextAt'), lastError: named('error') })
        .where(attempt),
    ),
    old: select(row, (q) =>
      q
        .from(rows)
        .where(lt(rows.createdAt, named('before')))
        .orderBy(asc(rows.createdAt))
        .limit(limitTo('limit')),
    ),
    length: select({ length: count() }, (q) => q.from(rows)),
    deleteUnwanted: change(
      q
        .delete(rows)
        .where(
          sql`${rows.id} in (${q
            .select({ id: rows.id })
            .from(rows)
            .where(notExists(wanting))
            .limit(limitTo('limit'))})`,
        ),
    ),
  }
})

/** The most rows of one INSERT. */
const ROWS = 500

/** Adds a row for each session whose client has an address for logouts, due at once. @returns how many */
export async function insert(
  { q, t: { clients, logoutDeliveries } }: Db,
  ended: readonly EndedSession[],
  now: EpochMs,
): Promise<number> {
  const ids = [...new Set(ended.map(({ clientId }) => clientId))]
  const wanting = new Set<string>()
  for (let at = 0; at < ids.length; at += ROWS) {
    const found = await q
      .select({ id: clients.id })
      .from(clients)
      .where(and(inArray(clients.id, ids.slice(at, at + ROWS)), isNotNull(clients.backchannelLogoutUri)))
    for (const { id } of found) wanting.add(id)
  }
  const rows = ended
    .filter(({ clientId }) => wanting.has(clientId))
    .map(({ clientId, sessionId, userId }) => ({ clientId, sessionId, userId, nextAt: now, createdAt: now }))
  for (let at = 0; at < rows.length; at += ROWS) await q.insert(logoutDeliveries).values(rows.slice(at, at + ROWS))
  return rows.length
}

/** The clients that have logouts due, by id. */
export const clientsDue = async (db: Db, now: EpochMs): Promise<string[]> =>
  (await queryRows(db, prepared(db).clientsDue, { now })).map(({ id }) => id)

/**
 * Claims up to `limit` logouts of a client that are due, and counts one more attempt of each. Of several processes, only
 * one gets a logout. It is due again at `until`, in case the process crashes before the attempt ends.
 */
export const claim = (
  db: Db,
  claim: { clientId: string; now: EpochMs; until: EpochMs; limit: number },
): Promise<Delivery[]> => queryRows(db, prepared(db).claim, claim)

/** One attempt. `finish` and `postpone` do nothing if another attempt has begun since. */
type Attempt = Pick<Delivery, 'id' | 'attempts'>

/** Deletes a logout that was delivered or is given up. @returns false when another attempt has begun, or it is gone */
export const finish = async (db: Db, { id, attempts }: Attempt): Promise<boolean> =>
  (await execute(db, prepared(db).finish, { id, attempts })) > 0

export const postpone = (db: Db, { id, attempts }: Attempt, next: { nextAt: EpochMs; error: string }) =>
  execute(db, prepared(db).postpone, { id, attempts, ...next })

/** Up to `limit` logouts that were queued before `before`, the oldest first. */
export const old = (db: Db, before: EpochMs, limit: number): Promise<Delivery[]> =>
  queryRows(db, prepared(db).old, { before, limit })

/** Deletes up to `limit` logouts whose client was deleted or has no address for them any more. @returns how many */
export const deleteUnwanted = (db: Db, limit: number): Promise<number> =>
  execute(db, prepared(db).deleteUnwanted, { limit })

export const length = async (db: Db): Promise<number> => (await queryRows(db, prepared(db).length))[0]?.length ?? 0
