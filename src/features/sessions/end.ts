import { KeywardError } from '../../errors.ts'
import { isRandomId } from '../../lib/random.ts'
import { accountWrite } from '../limits/limits.ts'
import { OWN_CLIENT } from '../tokens/tokens.ts'
import { isAlive } from './alive.store.ts'
import { findTokenSession } from './authenticate.ts'
import * as store from './end.store.ts'
import { followEnd, queueLogouts } from './ended.ts'
import { findLive, hasOtherLive } from './own.store.ts'
import type { EndReason } from './session.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'

/**
 * Ends one live session of a user, and with a browser session the sessions of clients in it.
 * @returns false when the session was not alive
 */
export const endOne = (
  needs: SessionsNeeds,
  { userId, id, reason, ip }: { userId: number; id: string; reason: EndReason; ip?: string },
): Promise<boolean> =>
  needs.store.transaction(
    async () => {
      const ended = await store.endOne(needs.store, { id, userId, reason, now: needs.clock.now() })
      if (ended) await followEnd(needs, [ended], { reason, ip })
      return ended !== undefined
    },
    { userId },
  )

export async function logout(needs: SessionsNeeds, { userId, sessionId }: SessionCaller, ip: string): Promise<void> {
  await endOne(needs, { userId, id: sessionId, reason: 'logout', ip })
}

export async function endOwn(
  needs: SessionsNeeds,
  { userId }: SessionCaller,
  { id, ip }: { id: string; ip: string },
): Promise<void> {
  const { store: db, clock } = needs
  // This check comes first: a request that ends no session takes no place of the rate limit and writes nothing.
  if (!isRandomId(id) || !(await findLive(db, { id, userId, now: clock.now() })))
    throw new KeywardError('session_not_found')
  await countWrite(needs, { userId, ip })
  if (!(await endOne(needs, { userId, id, reason: 'ended_by_user', ip }))) throw new KeywardError('session_not_found')
}

/** Takes a place of the user's limit `account.write`. @throws KeywardError `rate_limited` */
async function countWrite({ limits }: SessionsNeeds, requester: { userId: number; ip: string }): Promise<void> {
  const place = await limits.reserve([accountWrite(requester.userId)], requester)
  place.keep()
}

export async function endOwnAll(
  needs: SessionsNeeds,
  { userId, sessionId }: SessionCaller,
  { exceptCurrent, ip }: { exceptCurrent: boolean; ip: string },
): Promise<void> {
  const { store: db, clock } = needs
  if (exceptCurrent && !(await hasOtherLive(db, { userId, sessionId, now: clock.now() }))) return
  await countWrite(needs, { userId, ip })
  await db.transaction(
    async () => {
      await endAll(needs, { userId, keep: exceptCurrent ? sessionId : undefined, reason: 'ended_by_user' })
      const details = { except_current: exceptCurrent }
      await needs.audit.record({ event: 'session.all_ended', userId, sessionId, ip, details })
    },
    { userId },
  )
}

export async function endAll(
  needs: SessionsNeeds,
  { userId, keep, reason }: { userId: number; keep?: string; reason: EndReason },
): Promise<void> {
  const { store: db, clock, users } = needs
  const now = clock.now()
  const epoch = await users.raiseSessionEpoch(userId)
  const isKept = keep === undefined || (epoch && (await store.keepInEpoch(db, { id: keep, userId, epoch, now })))
  if (!isKept) throw new KeywardError('invalid_token')
  if (epoch !== undefined) await queueLogouts(needs, await store.endOutsideEpoch(db, { userId, epoch, reason, now }))
}

/** See `Sessions.endSome`. */
export const endSome = (needs: SessionsNeeds, limit: number, reason: EndReason): Promise<number> =>
  needs.store.transaction(async () => {
    const ended = await store.endSome(needs.store, { limit, reason, now: needs.clock.now() })
    await queueLogouts(needs, ended)
    return ended.length
  })

export async function revoke(needs: SessionsNeeds, token: string, ip: string): Promise<void> {
  const { store: db, clock } = needs
  const found = await findTokenSession(needs, token)
  const claims = found ? undefined : await needs.tokens.verifyFresh(token)
  const owner = found ? { userId: found.user.id, sessionId: found.session.id } : claims
  // Only the client itself ends its session, with its own credentials.
  if (!owner || (claims && claims.clientId !== OWN_CLIENT)) return
  const { userId, sessionId: id } = owner
  const now = clock.now()
  const live = found ? isAlive(found, now) && found.session : await findLive(db, { id, userId, now })
  if (!live) return
  if (live.clientId !== null) throw new KeywardError('invalid_client')
  await endOne(needs, { userId, id, reason: 'revoked', ip })
}
