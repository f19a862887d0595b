import { and, eq, lte, or } from 'drizzle-orm'
import type { Clock } from '../lib/clock.ts'
import { execute, named, statements } from './statements.ts'
import type { Db } from './store.ts'

const prepared = statements(({ q, t: { leases } }, { change }) => ({
  take: change(
    q
      .insert(leases)
      .values({ name: named('name'), holder: named('holder'), expiresAt: named('expiresAt') })
      .onConflictDoUpdate({
        target: leases.name,
        set: { holder: named('holder'), expiresAt: named('expiresAt') },
        setWhere: or(lte(leases.expiresAt, named('now')), eq(leases.holder, named('holder'))),
      }),
  ),
  release: change(q.delete(leases).where(and(eq(leases.name, named('name')), eq(leases.holder, named('holder'))))),
}))

/**
 * Takes or renews the lease on the job `name` for `ms` milliseconds, in one statement. Of several concurrent callers,
 * one gets the lease. Two processes can still do the same work, because their clocks differ and a process can be
 * suspended for longer than its lease. Therefore the writes of a job must also be conditional.
 * @param holder the random id of the process
 * @returns true when `holder` has the lease now
 */
export async function tryLease(
  { store, clock }: { store: Db; clock: Pick<Clock, 'now'> },
  name: string,
  holder: string,
  ms: number,
): Promise<boolean> {
  const now = clock.now()
  return (await execute(store, prepared(store).take, { name, holder, now, expiresAt: now + ms })) > 0
}

/** Ends the lease early, so that another process can take the lease at once. Does nothing if `holder` has no lease. */
export const releaseLease = async (store: Db, name: string, holder: string): Promise<void> => {
  await execute(store, prepared(store).release, { name, holder })
}
