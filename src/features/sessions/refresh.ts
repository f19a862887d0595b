import { KeywardError } from '../../errors.ts'
import { SECOND } from '../../lib/clock.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import type { User } from '../users/user.ts'
import { expiryOf, type Grant, makeGrant } from './grant.ts'
import { parseRefreshToken, type RefreshTokenText } from './refresh-token.ts'
import type { Origin, StoredSession } from './session.ts'
import * as store from './store.ts'

type RefreshDeps = Pick<Deps, 'store' | 'clock' | 'config' | 'log' | 'accessTokens' | 'refreshTokensOf'>

interface Found {
  session: StoredSession
  user: User
}

/**
 * Exchanges a refresh token for its successor (RFC 6749 section 6, RFC 9700 section 4.14.2), so that no honest client
 * is ever logged out by a race or a lost answer and no stolen token lives beside its owner's:
 * the current token moves the session on, in one conditional statement; its direct parent gives the same successor
 * again for a short grace, and longer while nothing of the successor was ever seen; any older token ends the session.
 * A token that we did not make costs one read and changes nothing.
 * @throws KeywardError `invalid_refresh_token`
 */
export async function refresh(deps: RefreshDeps, presented: string, origin: Origin): Promise<Grant> {
  const token = parseRefreshToken(presented)
  const found = token && (await store.findWithUser(deps.store, token.sessionId))
  const tokens = found && deps.refreshTokensOf(found.session)
  if (!found || !tokens?.isGenuine(token)) throw refused()
  const now = deps.clock.now()
  const { id, createdAt } = found.session
  const { generation } = token
  const expiresAt = expiryOf(deps.config, createdAt, now)
  // Reached where SESSION_MAX_DAYS has become less than it was.
  if (expiresAt <= now) throw refused()
  if (await store.rotate(deps.store, { ...origin, id, generation, expiresAt, now }))
    return makeGrant(deps, { ...found, tokens, generation: generation + 1 })
  return answerSpent(deps, token, origin)
}

/** For a genuine token that did not move its session on. What decides is read anew, on the writer. */
async function answerSpent(
  deps: RefreshDeps,
  { sessionId, generation }: RefreshTokenText,
  origin: Origin,
): Promise<Grant> {
  const found = await deps.store.transaction(async () => store.findWithUser(deps.store, sessionId))
  if (!found || !isAlive(found, deps.clock.now())) throw refused()
  const { session } = found
  if (generation > session.generation) {
    // Only a database restored from a backup is behind its own tokens; its sessions are not to blame.
    deps.log.warn('refresh_token_ahead', { user_id: session.userId, session_id: session.id })
    await record(deps, { event: 'session.refresh_token_ahead', userId: session.userId, sessionId, ip: origin.ip })
    throw refused()
  }
  if (generation === session.generation - 1) {
    const answer = judgeParent(deps, session)
    if (answer === 'same successor')
      return makeGrant(deps, { ...found, tokens: deps.refreshTokensOf(session), generation: session.generation })
    if (answer === 'refuse') throw refused()
  }
  await endReused(deps, session, generation, origin)
  throw refused()
}

/**
 * What the direct parent of the current token is worth. The clocks of two replicas may differ by as much as the grace.
 * Where the clock has been set back by more, nothing can be measured: nothing is given that a token of the successor
 * was seen of, and nothing is ended either.
 */
function judgeParent(
  { clock, config }: Pick<Deps, 'clock' | 'config'>,
  { refreshedAt, confirmedGeneration, generation }: StoredSession,
): 'same successor' | 'refuse' | 'reused' {
  const age = clock.now() - refreshedAt
  const unseen = confirmedGeneration < generation
  if (Math.abs(age) <= config.REFRESH_TOKEN_GRACE_SECONDS * SECOND) return 'same successor'
  if (unseen && age <= config.REFRESH_TOKEN_RETRY_SECONDS * SECOND && config.REFRESH_TOKEN_RETRY_SECONDS > 0)
    return 'same successor'
  return age < 0 ? 'refuse' : 'reused'
}

const isAlive = ({ session, user }: Found, now: number): boolean =>
  session.endedAt === null && session.expiresAt > now && user.isActive && user.sessionEpoch === session.epoch

/** Of many who present old tokens at once exactly one ends the session and tells of it. */
async function endReused(deps: RefreshDeps, session: StoredSession, presented: number, origin: Origin): Promise<void> {
  const { id, userId } = session
  await deps.store.transaction(async () => {
    if (!(await store.endReused(deps.store, { id, presented, now: deps.clock.now() }))) return
    const details = { presented, current: session.generation }
    await record(deps, { event: 'session.refresh_token_reused', userId, sessionId: id, ip: origin.ip, details })
    deps.store.afterCommit(() => deps.log.warn('refresh_token_reused', { user_id: userId, session_id: id }))
  })
}

const refused = () => new KeywardError('invalid_refresh_token')
