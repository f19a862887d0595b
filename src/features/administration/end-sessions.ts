import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Sessions } from '../sessions/sessions.ts'

interface EndSessionsNeeds {
  store: Store
  audit: Audit
  sessions: Sessions
}

/** The most sessions that one transaction ends, so that no request waits long. */
const BATCH = 500

/** Implements `Administration.endAllSessions`. */
export async function endAllSessions({ store: db, audit, sessions }: EndSessionsNeeds): Promise<number> {
  const endBatch = (isFirst: boolean) =>
    db.transaction(async () => {
      const ended = await sessions.endSome(BATCH, 'ended_by_admin')
      // The event is recorded with the first batch, because a crash between two batches must not lose the event.
      if (isFirst && ended > 0) await audit.record({ event: 'session.all_ended', details: { all_users: true } })
      return ended
    })
  let ended = await endBatch(true)
  for (let some = ended; some === BATCH; ended += some) some = await endBatch(false)
  return ended
}

/** Implements `Administration.endSessions`. */
export const endSessions = (
  { store: db, audit, sessions }: EndSessionsNeeds,
  { id: userId }: { id: number },
): Promise<number> =>
  db.transaction(async () => {
    const ended = await sessions.countLive(userId)
    await sessions.endAll({ userId, reason: 'ended_by_admin' })
    await audit.record({ event: 'session.all_ended', userId, details: { reason: 'ended_by_admin' } })
    return ended
  })
