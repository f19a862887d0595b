import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'

/** The names of all events in the audit log. The log contains no other name. */
export const auditEvents = [
  'user.registered',
  'user.created',
  'users.imported',
  'user.deactivated',
  'user.activated',
  'user.deleted',
  'username.freed',
  'login.succeeded',
  'login.failed',
  'login.new_device',
  'session.ended',
  'session.all_ended',
  'session.refresh_retried',
  'session.refresh_token_reused',
  'session.refresh_token_ahead',
  'password.changed',
  'password.change_refused',
  'password.set_by_admin',
  'limit.exceeded',
  'limits.cleared',
  'device_token.voided',
  'key.created',
  'key.activated',
  'key.retired',
  'key.revoked',
  'secrets.renewed',
  'role.granted',
  'role.withdrawn',
  'api_key.created',
  'api_key.revoked',
] as const

type AuditEventName = (typeof auditEvents)[number]

/** One event. `details` contains words and numbers, never a secret, a whole token or a typed password. */
export interface AuditEvent {
  event: AuditEventName
  userId?: number
  /** The user who caused the event, if this is not the user of `userId`. */
  actorId?: number
  sessionId?: string
  ip?: string
  details?: Record<string, string | number | boolean>
}

/** An event as it is stored. `ip` is an address, or a network after the address was shortened; `details` is JSON. */
export type AuditRow = Omit<Db['t']['auditEvents']['$inferSelect'], 'ipWholeSince'>

export interface AuditFilter {
  event?: AuditEventName
  userId?: number
  since?: EpochMs
  /** Returns only rows with a lower id. For the next page, pass the last id of this page. */
  before?: number
  limit: number
}

export const isAuditEvent = (name: string): name is AuditEventName => (auditEvents as readonly string[]).includes(name)
