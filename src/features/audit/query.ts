import type { Deps } from '../../service.ts'
import type { AuditFilter, AuditRow } from './events.ts'
import * as store from './store.ts'

/** A page of the audit log, the newest first. */
export const listEvents = (deps: Pick<Deps, 'store'>, filter: AuditFilter): Promise<AuditRow[]> =>
  store.list(deps.store, filter)
