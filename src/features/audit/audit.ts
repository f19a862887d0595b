import { type Clock, DAY } from '../../lib/clock.ts'
import { shortenIp } from '../../lib/ip.ts'
import type { Db, Store } from '../../storage/store.ts'
import { eraseForgotten, eraseUser, requestErasure } from './erase.ts'
import type { AuditEvent, AuditFilter, AuditRow } from './events.ts'
import * as store from './store.ts'

export { type AuditEvent, type AuditFilter, type AuditRow, auditEvents, isAuditEvent } from './events.ts'

interface AuditNeeds {
  store: Store
  clock: Clock
  /** An event is deleted after `days` days. The event's IP address is shortened to a network after `ipDays` days. */
  retention: { days: number; ipDays: number }
}

/** The audit log: events of accounts, sessions and keys. */
export interface Audit {
  /**
   * Writes one event. Call `record` in the transaction of the change, so that the change and the event are committed
   * together. Record a refusal, such as a failed login, outside the transaction that the refusal rolls back.
   */
  record(event: AuditEvent): Promise<void>
  /** Returns up to `filter.limit` events that match all of `filter`, the newest first. */
  list(filter: AuditFilter): Promise<AuditRow[]>
  /**
   * The reasons that administrators gave when they last deactivated these users, by the id of the user. A user has none
   * if there was none, or if the event is older than the audit log.
   * @param db the store, or a snapshot of it
   */
  deactivationReasons(db: Db, userIds: readonly number[]): Promise<ReadonlyMap<number, string>>
  /**
   * Requests the erasure of a deleted user's events: the removal of their IP addresses and session ids. All other
   * columns are kept. Call `forgetUser` in the transaction of the deletion. Call `eraseUser` after the commit, because
   * the user can have millions of events.
   */
  forgetUser(userId: number): Promise<void>
  /** Erases a user's events after `forgetUser`, in short transactions. After a crash, `eraseForgotten` continues. */
  eraseUser(userId: number): Promise<void>
  /**
   * Erases up to `limit` events of each user for whom `forgetUser` was called. Also erases events that a request wrote
   * within an hour after the deletion.
   * @returns the largest number of events that were erased for one user; less than `limit` when no events remain
   */
  eraseForgotten(limit: number): Promise<number>
  /** Deletes up to `limit` events that are older than `retention.days`. @returns the number of deleted events */
  deleteOldEvents(limit: number): Promise<number>
  /** Shortens up to `limit` IP addresses older than `retention.ipDays` to networks. @returns the number of addresses */
  shortenOldAddresses(limit: number): Promise<number>
}

export function createAudit({ store: db, clock, retention }: AuditNeeds): Audit {
  const daysAgo = (days: number) => clock.now() - days * DAY
  return {
    record: (event) => store.insert(db, { ...event, at: clock.now() }),
    list: (filter) => store.list(db, filter),
    async deactivationReasons(at, userIds) {
      if (userIds.length === 0) return new Map()
      const events = await store.lastDetails(at, { event: 'user.deactivated', userIds })
      return new Map(
        events.flatMap(({ userId, details }) => {
          const { reason } = JSON.parse(details ?? '{}') as { reason?: string }
          return userId === null || reason === undefined ? [] : [[userId, reason] as const]
        }),
      )
    },
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
