import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import { forgetAllTrusted, useUpCodes } from '../factors/factors.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, type By, byOf, changeUser } from './change-user.ts'

interface EndSessionsNeeds {
  store: Store
  clock: Clock
  audit: Audit
  sessions: Sessions
}

/** The most sessions that one transaction ends, so that no request waits long. */
const BATCH = 500

/**
 * Ends sessions in several transactions, each of which ends up to `limit`, until none is left.
 * @returns how many sessions ended
 */
export async function inBatches(endSome: (limit: number, isFirst: boolean) => Promise<number>): Promise<number> {
  let ended = await endSome(BATCH, true)
  for (let some = ended; some === BATCH; ended += some) some = await endSome(BATCH, false)
  return ended
}

/** Implements `Administration.endAllSessions`. */
export const endAllSessions = ({ store: db, clock, audit, sessions }: EndSessionsNeeds): Promise<number> =>
  inBatches((limit, isFirst) =>
    db.transaction(async () => {
      const ended = await sessions.endSome(limit, 'ended_by_admin')
      if (isFirst) await useUpCodes({ store: db, clock })
      if (isFirst) await forgetAllTrusted({ store: db })
      // The event is recorded with the first batch, because a crash between two batches must not lose the event.
      if (isFirst && ended > 0) await audit.record({ event: 'session.all_ended', details: { all_users: true } })
      return ended
    }),
  )

/** Implements `Administration.endSessions`. */
export const endSessions = (
  { store: db, audit, sessions }: EndSessionsNeeds,
  { id: userId }: { id: number },
  by: Partial<By> = {},
): Promise<number> =>
  db.transaction(async () => {
    const ended = await sessions.countLive(userId)
    await sessions.endAll({ userId, reason: 'ended_by_admin' })
    await audit.record({ event: 'session.all_ended', userId, ...by, details: { reason: 'ended_by_admin' } })
    return ended
  })

/** Implements `Administration.endSessionsOf`. Does nothing when the user has no live session. */
export async function endSessionsOf(needs: AdministrationNeeds, actor: Actor, id: string): Promise<void> {
  await changeUser(needs, actor, id, {
    permission: 'users:write',
    plan: async (user) =>
      (await needs.sessions.countLive(user.id)) === 0 ? undefined : () => endSessions(needs, user, byOf(actor)),
  })
}
