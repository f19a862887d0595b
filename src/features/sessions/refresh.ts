import { KeywardError } from '../../errors.ts'
import type { User } from '../users/users.ts'
import { type Grant, makeGrant } from './grant.ts'
import { expiryOf, isAlive } from './lifetime.ts'
import { parseRefreshToken, type RefreshTokenText } from './refresh-token.ts'
import type { Origin, StoredSession } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/**
 * No honest client is logged out by a race or a lost answer, and no stolen token stays valid beside its owner's:
 * - the current token moves the session to its next generation, in one conditional statement;
 * - its direct parent gives the same successor again within the grace, and longer while the successor was not used;
 * - any older token ends the session.
 *
 * A token that Keyward did not make costs one read and changes nothing.
 */
export async function refresh(needs: SessionsNeeds, presented: string, origin: Origin): Promise<Grant> {
  const { store: db, clock, lifetimes, refreshTokensOf } = needs
  const token = parseRefreshToken(presented)
  const found = token && (await store.findWithUser(db, token.sessionId))
  const tokens = found && refreshTokensOf(found.session)
  if (!found || !tokens?.isGenuine(token)) throw refused()
  const now = clock.now()
  const { id, createdAt } = found.session
  const { generation } = token
  const expiresAt = expiryOf(lifetimes, { createdAt, now })
  // Possible after SESSION_MAX_DAYS was lowered.
  if (expiresAt <= now) throw refused()
  if (await store.rotate(db, { ...origin, id, generation, expiresAt, now }))
    return makeGrant(needs, { ...found, tokens, generation: generation + 1 })
  return answerRotated(needs, token, origin)
}

/** Answers a genuine token that is not the current one. The session is read again, inside a transaction. */
async function answerRotated(
  needs: SessionsNeeds,
  { sessionId, generation }: RefreshTokenText,
  origin: Origin,
): Promise<Grant> {
  const { store: db, clock, log, audit, refreshTokensOf } = needs
  const found = await db.transaction(async () => store.findWithUser(db, sessionId))
  if (!found || !isAlive(found, clock.now())) throw refused()
  const { session } = found
  if (generation > session.generation) {
    // Only a database restored from a backup is behind its own tokens, so the session is not ended.
    log.warn('refresh_token_ahead', { user_id: session.userId, session_id: session.id })
    await audit.record({ event: 'session.refresh_token_ahead', userId: session.userId, sessionId, ip: origin.ip })
    throw refused()
  }
  if (generation === session.generation - 1) {
    const verdict = judgeParent(needs, session)
    if (verdict === 'retry') return grantAgain(needs, found, refreshTokensOf(session))
    if (verdict === 'refuse') throw refused()
  }
  await endReused(needs, session, { presented: generation, ip: origin.ip })
  throw refused()
}

const grantAgain = (
  needs: SessionsNeeds,
  { session, user }: { session: StoredSession; user: User },
  tokens: ReturnType<SessionsNeeds['refreshTokensOf']>,
): Grant => makeGrant(needs, { session, user, tokens, generation: session.generation })

/**
 * Judges the direct parent of the current token. The clocks of two replicas may differ by as much as the grace. When
 * the clock was set back by more, no time can be measured: the token is refused, and the session is not ended.
 */
function judgeParent(
  { clock, lifetimes: { grace, retry } }: SessionsNeeds,
  { refreshedAt, confirmedGeneration, generation }: StoredSession,
): 'retry' | 'refuse' | 'reused' {
  const age = clock.now() - refreshedAt
  const isUnused = confirmedGeneration < generation
  if (Math.abs(age) <= grace) return 'retry'
  if (isUnused && age <= retry && retry > 0) return 'retry'
  return age < 0 ? 'refuse' : 'reused'
}

/** Of many requests with old tokens at once exactly one ends the session and reports it. */
async function endReused(
  { store: db, clock, log, audit }: SessionsNeeds,
  { id, userId, generation }: StoredSession,
  { presented, ip }: { presented: number; ip: string },
): Promise<void> {
  await db.transaction(async () => {
    if (!(await store.endReused(db, { id, presented, now: clock.now() }))) return
    const details = { presented, current: generation }
    await audit.record({ event: 'session.refresh_token_reused', userId, sessionId: id, ip, details })
    db.afterCommit(() => log.warn('refresh_token_reused', { user_id: userId, session_id: id }))
  })
}

const refused = () => new KeywardError('invalid_refresh_token')
