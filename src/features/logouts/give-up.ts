import type { Delivery, LogoutsNeeds } from './logouts.ts'
import { LONGEST } from './schedule.ts'
import * as store from './store.ts'

/**
 * Deletes a logout and records the audit event, both or neither. The event does not name the session of a user who was
 * deleted: of deleted users, only the id stays.
 * @returns false when another attempt has begun, or the logout is gone; nothing is recorded then
 */
export async function end(
  { store: db, audit, users }: Pick<LogoutsNeeds, 'store' | 'audit' | 'users'>,
  delivery: Delivery,
  event: 'logout.delivered' | 'logout.failed',
): Promise<boolean> {
  const { userId, clientId, attempts } = delivery
  return db.transaction(async () => {
    if (!(await store.finish(db, delivery))) return false
    const sessionId = (await users.find(userId)) ? delivery.sessionId : undefined
    await audit.record({ event, userId, sessionId, details: { client_id: clientId, attempts } })
    return true
  })
}

/** See `Logouts.cleanUp`. */
export async function giveUpOld(needs: LogoutsNeeds, limit: number): Promise<number> {
  const { store: db, clock, log } = needs
  const old = await store.old(db, clock.now() - LONGEST, limit)
  for (const delivery of old)
    if (await end(needs, delivery, 'logout.failed'))
      log.error('logout_given_up', { client: delivery.clientId, attempts: delivery.attempts, reason: 'too old' })
  return Math.max(old.length, await store.deleteUnwanted(db, limit))
}
