import type { Deps } from '../../service.ts'
import type { SessionCaller } from './authenticate.ts'
import type { SessionSummary } from './session.ts'
import * as store from './store.ts'

/** The user's own live sessions, the last used first. */
export async function listOwnSessions(
  deps: Pick<Deps, 'store' | 'clock'>,
  { userId }: SessionCaller,
): Promise<SessionSummary[]> {
  const sessions = await store.listLive(deps.store, { userId, now: deps.clock.now() })
  return sessions.sort((a, b) => b.lastUsedAt - a.lastUsedAt || b.createdAt - a.createdAt)
}
