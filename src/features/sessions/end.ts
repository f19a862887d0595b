import { KeywardError } from '../../errors.ts'
import { isRandomId } from '../../lib/random.ts'
import { accountWrite } from '../limits/limits.ts'
import { OWN_CLIENT } from '../tokens/tokens.ts'
import { isAlive } from './alive.store.ts'
import { findTokenSession } from './authenticate.ts'
import { hasOtherLive, isLiveOf } from './own.store.ts'
import type { EndReason } from './session.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/** Ends one live session of a user and records the audit event. @returns false when the session was not alive */
async function endOne(
  { store: db, clock, audit }: SessionsNeeds,
  { userId, id, reason, ip }: { userId: number; id: string; reason: EndReason; ip: string },
): Promise<boolean> {
  return db.transaction(
    async () => {
      const ended = await store.endOne(db, { id, userId, reason, now: clock.now() })
      if (ended) await audit.record({ event: 'session.ended', userId, sessionId: id, ip, details: { reason } })
      return ended
    },
    { userId },
  )
}

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
  if (!isRandomId(id) || !(await isLiveOf(db, { id, userId, now: clock.now() })))
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
  { store: db, clock, users }: SessionsNeeds,
  { userId, keep, reason }: { userId: number; keep?: string; reason: EndReason },
): Promise<void> {
  const now = clock.now()
  const epoch = await users.raiseSessionEpoch(userId)
  const isKept = keep === undefined || (epoch && (await store.keepInEpoch(db, { id: keep, userId, epoch, now })))
  if (!isKept) throw new KeywardError('invalid_token')
  if (epoch !== undefined) await store.endOutsideEpoch(db, { userId, epoch, reason, now })
}

export async function revoke(needs: SessionsNeeds, token: string, ip: string): Promise<void> {
  const { store: db, clock } = needs
  const found = await findTokenSession(needs, token)
  const claims = found ? undefined : await needs.tokens.verifyFresh(token)
  const owner = found ? { userId: found.user.id, sessionId: found.session.id } : claims
  // Only the client itself ends its session, with its own credentials.
  if (!owner || (claims && claims.clientId !== OWN_CLIENT)) return
  const { userId, sessionId: id } = owner
  const isLive = found ? isAlive(found, clock.now()) : await isLiveOf(db, { id, userId, now: clock.now() })
  if (isLive) await endOne(needs, { userId, id, reason: 'revoked', ip })
}
