import type { EpochMs } from '../../lib/clock.ts'
import type { Db } from '../../storage/store.ts'

/** The names of all events that Keyward writes to the audit log. */
export const auditEvents = [
  'user.registered',
  'user.created',
  'user.invited',
  'user.updated',
  'user.exported',
  'users.imported',
  'users.exported',
  'user.deactivated',
  'user.activated',
  'user.deleted',
  'username.freed',
  'login.succeeded',
  'login.failed',
  'login.new_device',
  'mfa.challenged',
  'mfa.enrollment_required',
  'mfa.passed',
  'mfa.failed',
  'factor.locked',
  'factor.unlocked',
  'recovery_code.used',
  'session.stepped_up',
  'session.client_begun',
  'session.ended',
  'session.all_ended',
  'session.refresh_retried',
  'session.refresh_token_reused',
  'session.refresh_token_ahead',
  'password.changed',
  'password.change_refused',
  'password.set_by_admin',
  'password.reset',
  'password.reset_mailed',
  'first_admin.invited',
  'invitation.accepted',
  'email.verified',
  'email.change_requested',
  'email.changed',
  'email.change_undone',
  'reauthentication.failed',
  'limit.exceeded',
  'limits.cleared',
  'device_token.voided',
  'key.created',
  'key.activated',
  'key.retired',
  'key.revoked',
  'mail.resent',
  'secrets.renewed',
  'role.created',
  'role.updated',
  'role.deleted',
  'role.granted',
  'role.withdrawn',
  'api_key.created',
  'api_key.revoked',
  'provider.created',
  'provider.changed',
  'provider.deleted',
  'identity.linked',
  'identity.unlinked',
  'identity.refused',
  'client.created',
  'client.changed',
  'client.deleted',
  'client.secret_added',
  'client.secret_revoked',
  'logout.delivered',
  'logout.failed',
  'consent.granted',
  'consent.withdrawn',
  'oauth.code_reused',
  'device.approved',
  'device.denied',
  'second_factor.required',
  'factor_recovery.started',
  'factor_recovery.finished',
  'factor.reset_by_admin',
  'factor.enrolled',
  'factor.confirmed',
  'factor.renamed',
  'factor.removed',
  'factor.refused',
  'factor.clone_suspected',
  'recovery_codes.renewed',
  'trusted_device.added',
  'trusted_device.removed',
] as const

type AuditEventName = (typeof auditEvents)[number]

/** An event to write. `details` contains words and numbers, never a secret, a whole token or a typed password. */
export interface AuditEvent {
  event: AuditEventName
  userId?: number
  /** The user who caused the event, if another user than `userId` did. */
  actorId?: number
  sessionId?: string
  ip?: string
  details?: Record<string, string | number | boolean>
}

/** A stored event. `ip` is an IP address, or a network after the address was shortened. `details` is JSON text. */
export type AuditRow = Omit<Db['t']['auditEvents']['$inferSelect'], 'ipWholeSince'>

export interface AuditFilter {
  event?: AuditEventName
  userId?: number
  since?: EpochMs
  /** Only events with an id below `before` are returned. For the next page, pass the id of this page's last event. */
  before?: number
  limit: number
}

export const isAuditEvent = (name: string): name is AuditEventName => (auditEvents as readonly string[]).includes(name)
