import type { EpochMs } from '../../lib/clock.ts'
import type { User } from '../users/users.ts'
import type { KnownDevice } from './known.ts'

/** The IP address and the user agent of a request, as stored with the session. */
export interface Origin {
  ip: string
  /** The `User-Agent` header, at most 512 characters. */
  userAgent: string | null
}

export type EndReason =
  | 'logout'
  | 'ended_by_user'
  | 'password_changed'
  | 'password_set_by_admin'
  | 'password_reset'
  | 'email_verified'
  | 'email_changed'
  | 'email_change_undone'
  | 'invitation_accepted'
  | 'deactivated'
  | 'refresh_token_reused'
  | 'revoked'
  | 'too_many_sessions'
  | 'secrets_renewed'
  | 'ended_by_admin'

/** How long sessions last, and how long a refresh can be retried; all in milliseconds. */
export interface SessionLifetimes {
  /** A session expires this long after its login or its last refresh. */
  idle: number
  /** A session expires at the latest this long after its login. */
  absolute: number
  /** For this time after a refresh, the previous refresh token returns the same successor in every case. */
  grace: number
  /**
   * For this time after a refresh, the previous refresh token returns the same successor while no client has used the
   * successor. The client must have the network or the user agent of that refresh. A session has at most three such
   * late retries. 0 disables late retries.
   */
  retry: number
}

/**
 * Returns the time at which a session expires when it begins or is refreshed at `now`: the idle expiry or the absolute
 * expiry, whichever is earlier.
 */
export const expiryOf = (
  { idle, absolute }: SessionLifetimes,
  { createdAt, now }: { createdAt: EpochMs; now: EpochMs },
): EpochMs => Math.min(now + idle, createdAt + absolute)

/** A login whose credential was checked. */
export interface NewLogin {
  /** The user, as read together with the credential. */
  user: User
  /** The authentication methods of the login, such as `pwd` (RFC 8176). */
  amr: readonly string[]
  origin: Origin
  /** The known device whose device token came with the login; undefined when there is none. */
  device?: KnownDevice
}

/** A stored session whose tokens are not made yet. `Sessions.finishLogin` makes the tokens. */
export interface BegunSession {
  session: Pick<StoredSession, 'id' | 'macSalt' | 'amr' | 'authTime'>
  user: User
  /** The id for the device token: the id of the known device of the login, or the id of a new device. */
  deviceId: string
}

/** The columns of a session that authentication and refresh use. */
export interface StoredSession {
  id: string
  userId: number
  epoch: number
  amr: string
  authTime: EpochMs
  generation: number
  confirmedGeneration: number
  macSalt: string
  createdAt: EpochMs
  refreshedAt: EpochMs
  expiresAt: EpochMs
  endedAt: EpochMs | null
  lateRetries: number
  lateRetriedAt: EpochMs | null
  /** `ip` and `userAgent` come from the last refresh, or from the login while there was no refresh. */
  ip: string | null
  userAgent: string | null
}

/** A session as its user sees it. */
export interface SessionSummary {
  id: string
  createdAt: EpochMs
  lastUsedAt: EpochMs
  expiresAt: EpochMs
  ip: string | null
  userAgent: string | null
  /** Browser and system of the login, or empty. Null when a session of a version before 0.3.0 has no name yet. */
  deviceName: string | null
  amr: string
}
