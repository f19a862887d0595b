import { and, eq, isNull, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { castPlaceholder } from '../../storage/cast-placeholder.ts'
import { named, queryRows, statements } from '../../storage/statements.ts'
import type { Db } from '../../storage/store.ts'
import { notEndedSql } from './alive.store.ts'
import type { Lifetime } from './session.ts'

/* Statements about browser sessions and the sessions of clients below them. */

const prepared = statements(({ t }, { select, locking }) => {
  const { sessions } = t
  const browser = {
    createdAt: sessions.createdAt,
    isRemembered: sessions.isRemembered,
    deviceName: sessions.deviceName,
  }
  const isBrowser = and(eq(sessions.id, castPlaceholder('id', 'text')), eq(sessions.kind, 'browser'))
  return {
    browser: select(browser, (from) => from.from(sessions).where(isBrowser)),
    hold: locking(browser, (from) =>
      from
        .from(sessions)
        .where(
          and(
            isBrowser,
            eq(sessions.userId, named('userId')),
            eq(sessions.epoch, named('epoch')),
            notEndedSql(t, named('now')),
          ),
        ),
    ),
  }
})

/** What the session of a client needs to know of its browser session. */
export interface Parent {
  createdAt: EpochMs
  isRemembered: boolean
  deviceName: string | null
}

/** The browser session `id`, alive or not. */
export const findParent = async (db: Db, id: string): Promise<Parent | undefined> =>
  (await queryRows(db, prepared(db).browser, { id }))[0]

/**
 * Locks a browser session of a user until the transaction ends, so that it cannot end meanwhile.
 * @returns undefined when it has ended or expired, or has another epoch
 */
export const holdParent = async (
  db: Db,
  by: { id: string; userId: number; epoch: number; now: EpochMs },
): Promise<Parent | undefined> => (await queryRows(db, prepared(db).hold, by))[0]

/** Moves the sessions of clients from one browser session to another, whose absolute expiry then bounds them. */
export async function move(
  { q, t: { sessions }, dialect }: Db,
  { from, to, lifetime, endOfBrowser }: { from: string; to: string; lifetime: Lifetime; endOfBrowser: EpochMs },
): Promise<void> {
  const least = sql.raw(dialect === 'sqlite' ? 'min' : 'least')
  const ends = sql`${least}(${sessions.refreshedAt} + ${lifetime.idle}, ${sessions.createdAt} + ${lifetime.absolute}, ${endOfBrowser})`
  await q
    .update(sessions)
    .set({
      parentId: to,
      expiresAt: sql`case when ${sessions.isOffline} then ${sessions.expiresAt} else ${ends} end`,
    })
    .where(and(eq(sessions.parentId, from), isNull(sessions.endedAt)))
}
