import { and, eq, exists, isNull, sql } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import { type Db, statements } from '../../storage/store.ts'
import { userColumns } from '../../storage/tables/users.ts'
import type { User } from '../users/user.ts'

export interface NewSession {
  id: string
  userId: number
  epoch: number
  amr: string
  authTime: EpochMs
  now: EpochMs
}

const prepared = statements((db) => {
  const {
    q,
    t: { users, sessions },
  } = db
  const named = sql.placeholder
  const live = q
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(
        eq(sessions.id, named('sessionId')),
        eq(sessions.userId, users.id),
        eq(sessions.epoch, users.sessionEpoch),
        isNull(sessions.endedAt),
      ),
    )
  return {
    insert: q
      .insert(sessions)
      .values({
        id: named('id'),
        userId: named('userId'),
        epoch: named('epoch'),
        amr: named('amr'),
        authTime: named('authTime'),
        createdAt: named('now'),
      })
      .prepare(),
    userOfLiveSession: q
      .select(userColumns(db))
      .from(users)
      .where(and(eq(users.id, named('userId')), eq(users.isActive, true), exists(live)))
      .prepare(),
  }
})

/** Violates the foreign key when the user is gone. */
export const insert = (db: Db, session: NewSession): Promise<unknown> => prepared(db).insert.execute({ ...session })

/** The user of a session, in one statement, if both are alive: active, same epoch, not ended. */
export const findUserOfLiveSession = async (
  db: Db,
  by: { userId: number; sessionId: string },
): Promise<User | undefined> => (await prepared(db).userOfLiveSession.execute(by))[0]
