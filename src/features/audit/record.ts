import type { Deps } from '../../deps.ts'
import type { AuditEvent } from './events.ts'
import * as store from './store.ts'

/**
 * Writes one event. Called inside the transaction of the change it tells of, so that neither stands without the other;
 * what must survive a refusal is recorded outside the transaction that rolls back.
 */
export async function record(deps: Pick<Deps, 'store' | 'clock'>, event: AuditEvent): Promise<void> {
  await store.insert(deps.store, { ...event, at: deps.clock.now() })
}
