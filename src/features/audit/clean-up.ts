import { DAY } from '../../lib/clock.ts'
import { shortenIp } from '../../lib/ip.ts'
import type { AuditNeeds } from './audit.ts'
import * as store from './store.ts'

export const deleteOldEvents = ({ store: db, clock, retention }: AuditNeeds, limit: number): Promise<number> =>
  store.deleteBefore(db, { before: clock.now() - retention.days * DAY, limit })

export async function shortenOldAddresses({ store: db, clock, retention }: AuditNeeds, limit: number): Promise<number> {
  const rows = await store.withWholeIp(db, { before: clock.now() - retention.ipDays * DAY, limit })
  const byNetwork = Map.groupBy(rows, ({ ip }) => (ip === null ? null : shortenIp(ip)))
  await db.transaction(async () => {
    for (const [network, events] of byNetwork) {
      const ids = events.map(({ id }) => id)
      await store.setIp(db, ids, network)
    }
  })
  return rows.length
}
