import { type Clock, DAY } from '../../lib/clock.ts'
import { shortenIp } from '../../lib/ip.ts'
import type { Store } from '../../storage/store.ts'
import { eraseForgotten, eraseUser, requestErasure } from './erase.ts'
import type { AuditEvent, AuditFilter, AuditRow } from './events.ts'
import * as store from './store.ts'

export { type AuditEvent, type AuditRow, auditEvents, isAuditEvent } from './events.ts'

interface AuditNeeds {
  store: Store
  clock: Clock
  /** How many days an event is kept, and how many of these days with its whole IP address. */
  retention: { days: number; ipDays: number }
}

/** The audit log: events of accounts, sessions and keys. */
export interface Audit {
  /**
   * Writes one event. Call it in the transaction of the change, so that both are stored or neither. An event that must
   * be kept after a refusal (a failed login) is written outside the transaction that rolls back.
   */
  record(event: AuditEvent): Promise<void>
  /** A page of the log, newest first. */
  list(filter: AuditFilter): Promise<AuditRow[]>
  /**
   * Requests that IP addresses and session ids are removed from the events of a deleted user; name, time and user id
   * stay. Call it in the transaction of the deletion, and `eraseUser` after it: there may be millions of events.
   */
  forgetUser(userId: number): Promise<void>
  /** Removes what `forgetUser` requested, in short transactions. After a crash `eraseForgotten` continues. */
  eraseUser(userId: number): Promise<void>
  /** Continues what `forgetUser` requested, up to `limit` events of each user. @returns the most for one user */
  eraseForgotten(limit: number): Promise<number>
  /** Deletes up to `limit` events older than `retention.days`. @returns how many */
  deleteOldEvents(limit: number): Promise<number>
  /** Shortens up to `limit` IP addresses older than `retention.ipDays` to their network. @returns how many */
  shortenOldAddresses(limit: number): Promise<number>
}

export function createAudit({ store: db, clock, retention }: AuditNeeds): Audit {
  const daysAgo = (days: number) => clock.now() - days * DAY
  return {
    record: (event) => store.insert(db, { ...event, at: clock.now() }),
    list: (filter) => store.list(db, filter),
    async forgetUser(userId) {
      await requestErasure({ store: db, clock }, userId)
    },
    eraseUser: (userId) => eraseUser({ store: db, clock }, userId),
    eraseForgotten: (limit) => eraseForgotten({ store: db, clock }, limit),
    deleteOldEvents: (limit) => store.deleteBefore(db, { before: daysAgo(retention.days), limit }),
    async shortenOldAddresses(limit) {
      const rows = await store.withWholeIp(db, { before: daysAgo(retention.ipDays), limit })
      const byNetwork = Map.groupBy(rows, ({ ip }) => (ip === null ? null : shortenIp(ip)))
      await db.transaction(async () => {
        for (const [network, events] of byNetwork) {
          const ids = events.map(({ id }) => id)
          await store.setIp(db, ids, network)
        }
      })
      return rows.length
    },
  }
}
