import type { EpochMs } from '../../lib/clock.ts'
import type { User } from '../users/users.ts'
import type { StoredSession } from './session.ts'
import type { SessionLifetimes } from './sessions.ts'

/** When a session ends that is refreshed at `now`: the earlier of its idle and its absolute end. */
export const expiryOf = (
  { idle, absolute }: SessionLifetimes,
  { createdAt, now }: { createdAt: EpochMs; now: EpochMs },
): EpochMs => Math.min(now + idle, createdAt + absolute)

/** Whether a session is alive: neither ended nor expired, of an active user, in the user's present session epoch. */
export const isAlive = ({ session, user }: { session: StoredSession; user: User }, now: EpochMs): boolean =>
  session.endedAt === null && session.expiresAt > now && user.isActive && user.sessionEpoch === session.epoch
