import { KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import * as usersStore from '../users/store.ts'
import type { SessionCaller } from './authenticate.ts'
import { parseRefreshToken } from './refresh-token.ts'
import type { EndReason } from './session.ts'
import * as store from './store.ts'

type EndDeps = Pick<Deps, 'store' | 'clock'>

/** What else comes in a path never reaches the database, which takes some characters for an error. */
const isSessionId = (text: string): boolean => /^[\w-]{22}$/.test(text)

/** Ends one session of a user, with its refresh and access tokens; false when there was none alive. */
async function endSession(
  deps: EndDeps,
  { userId, id, reason, ip }: { userId: number; id: string; reason: EndReason; ip?: string },
): Promise<boolean> {
  return deps.store.transaction(async () => {
    const ended = await store.endOne(deps.store, { id, userId, reason, now: deps.clock.now() })
    if (ended) await record(deps, { event: 'session.ended', userId, sessionId: id, ip, details: { reason } })
    return ended
  })
}

/** Ends the session that the request came with. */
export async function logout(deps: EndDeps, { userId, sessionId }: SessionCaller, ip: string): Promise<void> {
  await endSession(deps, { userId, id: sessionId, reason: 'logout', ip })
}

/**
 * Ends one of the user's own sessions.
 * @throws KeywardError `session_not_found`, for another's too
 */
export async function endOwnSession(deps: EndDeps, { userId }: SessionCaller, id: string, ip: string): Promise<void> {
  if (!isSessionId(id) || !(await endSession(deps, { userId, id, reason: 'ended_by_user', ip })))
    throw new KeywardError('session_not_found')
}

/**
 * Ends all of the user's sessions, or all but the one the request came with.
 * @throws KeywardError `invalid_token`, see `endAllSessions`
 */
export async function endOwnSessions(
  deps: EndDeps,
  { userId, sessionId }: SessionCaller,
  { exceptCurrent, ip }: { exceptCurrent: boolean; ip: string },
): Promise<void> {
  await deps.store.transaction(async () => {
    await endAllSessions(deps, { userId, keep: exceptCurrent ? sessionId : undefined, reason: 'ended_by_user' })
    await record(deps, {
      event: 'session.all_ended',
      userId,
      sessionId,
      ip,
      details: { except_current: exceptCurrent },
    })
  })
}

/**
 * Ends every session of a user, and those that a log-in now under way would begin. Call it in the transaction of the
 * change that asks for it; it writes no audit row, since the change has one.
 * @throws KeywardError `invalid_token` when the session to keep, the one that asks, has been ended meanwhile: of two
 *   that end each other one wins, and nothing of the other's change is kept
 */
export async function endAllSessions(
  deps: EndDeps,
  { userId, keep, reason }: { userId: number; keep?: string; reason: EndReason },
): Promise<void> {
  const now = deps.clock.now()
  const epoch = await usersStore.raiseSessionEpoch(deps.store, userId)
  const kept = keep === undefined || (epoch && (await store.keepInEpoch(deps.store, { id: keep, userId, epoch, now })))
  if (!kept) throw new KeywardError('invalid_token')
  if (epoch !== undefined) await store.endOutsideEpoch(deps.store, { userId, epoch, reason, now })
}

/**
 * Ends the session of a token, refresh (current or rotated) or access (RFC 7009 section 2.1). A token that is expired,
 * altered or unknown is no error and has no effect (section 2.2).
 */
export async function revoke(
  deps: EndDeps & Pick<Deps, 'accessTokens' | 'refreshTokensOf'>,
  token: string,
  ip: string,
): Promise<void> {
  const owner = (await ownerOfRefreshToken(deps, token)) ?? (await deps.accessTokens.verifyFresh(token))
  if (owner) await endSession(deps, { userId: owner.userId, id: owner.sessionId, reason: 'revoked', ip })
}

async function ownerOfRefreshToken(
  deps: Pick<Deps, 'store' | 'refreshTokensOf'>,
  text: string,
): Promise<{ userId: number; sessionId: string } | undefined> {
  const token = parseRefreshToken(text)
  const found = token && (await store.findWithUser(deps.store, token.sessionId))
  if (!found || !deps.refreshTokensOf(found.session).isGenuine(token)) return undefined
  return { userId: found.user.id, sessionId: found.session.id }
}
