import type { EpochMs } from '../../lib/clock.ts'

/** Where a request came from, as its session remembers it. */
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

/** A session as the refresh rules see it. */
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

export interface NewSession extends Origin {
  id: string
  userId: number
  epoch: number
  amr: string
  macSalt: string
  expiresAt: EpochMs
  now: EpochMs
}

/** A step of a session from `generation` to the next one. */
export interface Rotation extends Origin {
  id: string
  generation: number
  expiresAt: EpochMs
  now: EpochMs
}

/** What its owner sees of a session. */
export interface SessionSummary {
  id: string
  createdAt: EpochMs
  lastUsedAt: EpochMs
  expiresAt: EpochMs
  ip: string | null
  userAgent: string | null
  amr: string
}
