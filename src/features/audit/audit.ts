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
  /** An event is deleted after `days` days. Its IP address is shortened to a network after `ipDays` days. */
  retention: { days: number; ipDays: number }
}

/** The audit log: events of accounts, sessions and keys. */
export interface Audit {
  /**
   * Writes one event. Call it in the transaction of the change; then the change and its event are committed together.
   * The event of a refusal, such as a failed login, is written outside the transaction that is rolled back.
   */
  record(event: AuditEvent): Promise<void>
  /** A page of the log, newest first. */
  list(filter: AuditFilter): Promise<AuditRow[]>
  /**
   * Requests that the IP address and the session id are removed from a deleted user's events. The other columns are
   * kept. Call it in the transaction of the deletion, and call `eraseUser` after the commit, because there can be
   * millions of events.
   */
  forgetUser(userId: number): Promise<void>
  /** Does what `forgetUser` requested, in short transactions. After a crash `eraseForgotten` continues. */
  eraseUser(userId: number): Promise<void>
  /**
   * Continues what `forgetUser` requested, with up to `limit` events of each user.
   * @returns the largest number of events that were erased for one user; less than `limit` when nothing remains
   */
  eraseForgotten(limit: number): Promise<number>
  /** Deletes up to `limit` events older than `retention.days`. @returns how many were deleted */
  deleteOldEvents(limit: number): Promise<number>
  /** Shortens up to `limit` IP addresses older than `retention.ipDays` to a network. @returns how many it shortened */
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
