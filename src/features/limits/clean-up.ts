import type { LimitsNeeds } from './limits.ts'
import { inLockOrder } from './row-keys.ts'
import * as store from './store.ts'

/** Deletes the buckets one by one, in the order in which requests lock theirs, so that no two transactions deadlock. */
export async function cleanUp(
  { store: db, clock }: Pick<LimitsNeeds, 'store' | 'clock'>,
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
