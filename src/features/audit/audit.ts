import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import { deleteOldEvents, shortenOldAddresses } from './clean-up.ts'
import type { AuditEvent, AuditFilter, AuditRow } from './events.ts'
import * as store from './store.ts'

export { type AuditEvent, type AuditFilter, type AuditRow, auditEvents, isAuditEvent } from './events.ts'

export interface AuditNeeds {
  store: Store
  clock: Clock
  /** How many days an event is kept, and how many days of these with its whole IP address. */
  retention: { days: number; ipDays: number }
}

/** The audit log: what happened to accounts, sessions and keys. */
export interface Audit {
  /**
   * Writes one event. Call it in the transaction of the change, so that neither is stored without the other. An event
   * that must survive a refusal (a failed login) is written outside the transaction that rolls back.
   */
  record(event: AuditEvent): Promise<void>
  /** A page of the log, newest first. */
  list(filter: AuditFilter): Promise<AuditRow[]>
  /** Removes addresses and session ids from the events of a deleted user; the event, its time and the user id stay. */
  forgetUser(userId: number): Promise<void>
  /** Deletes up to `limit` events older than `retention.days`. @returns how many */
  deleteOldEvents(limit: number): Promise<number>
  /** Shortens up to `limit` addresses older than `retention.ipDays` to their network. @returns how many */
  shortenOldAddresses(limit: number): Promise<number>
}

export const createAudit = (needs: AuditNeeds): Audit => ({
  async record(event) {
    await store.insert(needs.store, { ...event, at: needs.clock.now() })
  },
  list: (filter) => store.list(needs.store, filter),
  async forgetUser(userId) {
    await store.forgetUser(needs.store, userId)
  },
  deleteOldEvents: (limit) => deleteOldEvents(needs, limit),
  shortenOldAddresses: (limit) => shortenOldAddresses(needs, limit),
})
