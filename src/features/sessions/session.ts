import type { EpochMs } from '../../lib/clock.ts'
import type { User } from '../users/users.ts'
import type { Device } from './device-token.ts'

/** The address and the client that a request came from, as stored with its session. */
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
  | 'deactivated'
  | 'refresh_token_reused'
  | 'revoked'
  | 'too_many_sessions'
  | 'secrets_renewed'

/** In milliseconds. */
export interface SessionLifetimes {
  /** A session expires this long after its last refresh. */
  idle: number
  /** A session expires this long after its login. */
  absolute: number
  /** How long the previous refresh token always returns the same successor again. */
  grace: number
  /** How long it does so while no token of the successor was used; 0 disables that. */
  retry: number
}

/** When a session expires that is refreshed at `now`: the earlier of its idle and its absolute expiry. */
export const expiryOf = (
  { idle, absolute }: SessionLifetimes,
  { createdAt, now }: { createdAt: EpochMs; now: EpochMs },
): EpochMs => Math.min(now + idle, createdAt + absolute)

/** A login whose credential was checked. */
export interface NewLogin {
  /** As read together with the credential. */
  user: User
  /** Authentication methods (RFC 8176). */
  amr: readonly string[]
  origin: Origin
  /** The device of the device token that came with the login. */
  device?: Device
}

/** A stored session without its tokens; see `Sessions.finishLogin`. */
export interface BegunSession {
  session: Pick<StoredSession, 'id' | 'macSalt' | 'amr' | 'authTime'>
  user: User
  /** The id of a known device, which its new token keeps. */
  deviceId: string | undefined
}

/** The columns of a session that the refresh rules use. */
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
}

/** A session as its user sees it. */
export interface SessionSummary {
  id: string
  createdAt: EpochMs
  lastUsedAt: EpochMs
  expiresAt: EpochMs
  ip: string | null
  userAgent: string | null
  amr: string
}
