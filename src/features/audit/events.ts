import type { EpochMs } from '../../lib/clock.ts'

/** Everything the audit log can hold. A closed list: who reads the log must know what can stand in it. */
export const auditEvents = [
  'user.registered',
  'user.created',
  'users.imported',
  'user.deactivated',
  'user.activated',
  'user.deleted',
  'login.succeeded',
  'login.failed',
  'login.new_device',
  'session.ended',
  'session.all_ended',
  'session.refresh_token_reused',
  'session.refresh_token_ahead',
  'password.changed',
  'password.change_refused',
  'password.set_by_admin',
  'limit.exceeded',
  'device_token.voided',
  'key.created',
  'key.activated',
  'key.retired',
  'key.revoked',
  'role.granted',
  'role.withdrawn',
  'api_key.created',
  'api_key.revoked',
] as const

export type AuditEventName = (typeof auditEvents)[number]

/** One thing that happened. `details` holds words and numbers, never a secret, a whole token or a typed password. */
export interface AuditEvent {
  event: AuditEventName
  userId?: number
  /** Who did it, where that is somebody else than the user. */
  actorId?: number
  sessionId?: string
  ip?: string
  details?: Record<string, string | number | boolean>
}

/** An event as it is stored. `ip` may be a network by now; `details` is JSON. */
export interface AuditRow {
  id: number
  at: EpochMs
  event: string
  userId: number | null
  actorId: number | null
  sessionId: string | null
  ip: string | null
  details: string | null
}

export interface AuditFilter {
  event?: AuditEventName
  userId?: number
  since?: EpochMs
  /** Only rows with a smaller number: the next page. */
  before?: number
  limit: number
}

export const isAuditEvent = (name: string): name is AuditEventName => (auditEvents as readonly string[]).includes(name)
