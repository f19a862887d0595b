import { and, eq, exists, gt, isNull, type SQL } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { User } from '../users/users.ts'
import type { StoredSession } from './session.ts'

/*
 * A session is alive if it has not ended, has not expired, and its user is active and has the session's epoch.
 * This file has the check for objects in memory, and the same check in SQL. The SQL is also exported in two parts,
 * because some statements already join the users, and some statements read sessions of any epoch.
 */

/** Returns true when a session that was read from the database is alive at `now`. */
export const isAlive = ({ session, user }: { session: StoredSession; user: User }, now: EpochMs): boolean =>
  session.endedAt === null && session.expiresAt > now && user.isActive && user.sessionEpoch === session.epoch

/** The complete check in SQL, for statements on the table `sessions` alone. */
export const aliveSql = ({ q, t }: Db, now: EpochMs | SQL) =>
  and(notEndedSql(t, now), exists(q.select({ id: t.users.id }).from(t.users).where(ofActiveUserSql(t))))

/** The part of the check that concerns the session: it has neither ended nor expired. */
export const notEndedSql = ({ sessions }: Db['t'], now: EpochMs | SQL) =>
  and(isNull(sessions.endedAt), gt(sessions.expiresAt, now))

/** The part of the check that concerns the user, for statements that also read the table `users`. */
export const ofActiveUserSql = ({ users, sessions }: Db['t']) =>
  and(eq(users.id, sessions.userId), eq(users.isActive, true), eq(users.sessionEpoch, sessions.epoch))
