import type { SessionSummary } from './session.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

export async function listOwn(
  { store: db, clock }: SessionsNeeds,
  { userId }: SessionCaller,
): Promise<SessionSummary[]> {
  const sessions = await store.listLive(db, { userId, now: clock.now() })
  return sessions.sort((a, b) => b.lastUsedAt - a.lastUsedAt || b.createdAt - a.createdAt)
}
