import type { Deps } from '../../service.ts'
import { inLockOrder } from './row-keys.ts'
import * as store from './store.ts'

/**
 * Deletes a bite of the buckets that are full again; answers how many. One by one and in the order in which requests take
 * theirs, so that neither waits for the other in a circle.
 */
export async function cleanUpLimits(
  { store: db, clock }: Pick<Deps, 'store' | 'clock'>,
  limit: number,
): Promise<number> {
  const now = clock.now()
  const full = await store.findFull(db, { now, limit })
  if (full.length === 0) return 0
  await db.transaction(async () => {
    for (const key of inLockOrder(full)) await store.deleteFull(db, { key, now })
  })
  return full.length
}
