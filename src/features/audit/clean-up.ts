import { DAY } from '../../lib/clock.ts'
import { shortenIp } from '../../lib/ip.ts'
import type { Deps } from '../../service.ts'
import * as store from './store.ts'

type CleanUpDeps = Pick<Deps, 'store' | 'clock' | 'config'>

/** Deletes a bite of what is older than `AUDIT_DAYS`; answers how many rows. */
export const forgetOldEvents = ({ store: db, clock, config }: CleanUpDeps, limit: number): Promise<number> =>
  store.deleteBefore(db, { before: clock.now() - config.AUDIT_DAYS * DAY, limit })

/** Shortens a bite of the addresses that are older than `AUDIT_IP_DAYS`; answers how many rows. */
export async function shortenOldAddresses({ store: db, clock, config }: CleanUpDeps, limit: number): Promise<number> {
  const rows = await store.withWholeIp(db, { before: clock.now() - config.AUDIT_IP_DAYS * DAY, limit })
  const byNetwork = Map.groupBy(rows, ({ ip }) => (ip === null ? null : shortenIp(ip)))
  await db.transaction(async () => {
    for (const [network, of] of byNetwork)
      await store.setIp(
        db,
        of.map(({ id }) => id),
        network,
      )
  })
  return rows.length
}
