import type { Deps } from '../../service.ts'
import type { AuditEvent } from './events.ts'
import * as store from './store.ts'

/**
 * Writes one event. Called inside the transaction of the change it tells of, so that neither stands without the other;
 * what must survive a refusal is recorded outside the transaction that rolls back.
 */
export async function record(deps: Pick<Deps, 'store' | 'clock'>, event: AuditEvent): Promise<void> {
  await store.insert(deps.store, { ...event, at: deps.clock.now() })
}

/** Leaves of the events of a deleted account what happened, when, and its number: no address and no session. */
export const forgetUser = (deps: Pick<Deps, 'store'>, userId: number): Promise<unknown> =>
  store.forgetUser(deps.store, userId)
