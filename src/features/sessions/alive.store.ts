import { and, eq, exists, gt, isNull, type SQL } from 'drizzle-orm'
import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'
import type { User } from '../users/users.ts'
import type { StoredSession } from './session.ts'

/*
 * A session is alive if it has not ended, has not expired, and its user is active and still at the session's epoch.
 * The rule stands here once for values and once for SQL. The SQL comes in parts, since some statements already join the
 * user, and some concern sessions of any epoch.
 */

/** The rule for values. */
export const isAlive = ({ session, user }: { session: StoredSession; user: User }, now: EpochMs): boolean =>
  session.endedAt === null && session.expiresAt > now && user.isActive && user.sessionEpoch === session.epoch

/** The rule in SQL. */
export const aliveSql = ({ q, t }: Db, now: EpochMs | SQL) =>
  and(notEndedSql(t, now), exists(q.select({ id: t.users.id }).from(t.users).where(ofActiveUserSql(t))))

/** The part of the rule about the session alone. */
export const notEndedSql = ({ sessions }: Db['t'], now: EpochMs | SQL) =>
  and(isNull(sessions.endedAt), gt(sessions.expiresAt, now))

/** The part of the rule about the user, for a statement that reads both tables. */
export const ofActiveUserSql = ({ users, sessions }: Db['t']) =>
  and(eq(users.id, sessions.userId), eq(users.isActive, true), eq(users.sessionEpoch, sessions.epoch))
