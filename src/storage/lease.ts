import { and, eq, lte, or, sql } from 'drizzle-orm'
import type { Clock } from '../lib/clock.ts'
import { type Db, statements } from './store.ts'

const prepared = statements(({ q, t: { leases } }) => {
  const named = sql.placeholder
  return {
    take: q
      .insert(leases)
      .values({ name: named('name'), holder: named('holder'), expiresAt: named('expiresAt') })
      .onConflictDoUpdate({
        target: leases.name,
        set: { holder: named('holder') as never, expiresAt: named('expiresAt') as never },
        setWhere: or(lte(leases.expiresAt, named('now')), eq(leases.holder, named('holder'))),
      })
      .returning({ holder: leases.holder })
      .prepare(),
    release: q
      .delete(leases)
      .where(and(eq(leases.name, named('name')), eq(leases.holder, named('holder'))))
      .prepare(),
  }
})

/**
 * Takes the lease on `name` for `ms` milliseconds, or renews it: one statement, so of many contenders one has it.
 * A lease keeps processes from doing the same work, no more: clocks differ and a process may sleep past its lease, so
 * what the work writes is conditional all the same.
 * @param holder tells the process from all others
 * @returns whether `holder` has it now
 */
export async function tryLease(
  { store, clock }: { store: Db; clock: Pick<Clock, 'now'> },
  name: string,
  holder: string,
  ms: number,
): Promise<boolean> {
  const now = clock.now()
  return (await prepared(store).take.execute({ name, holder, now, expiresAt: now + ms })).length > 0
}

/** Gives the lease back, if `holder` still has it, so that another need not wait for its end. */
export const releaseLease = async (store: Db, name: string, holder: string): Promise<void> => {
  await prepared(store).release.execute({ name, holder })
}
