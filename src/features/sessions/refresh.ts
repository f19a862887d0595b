import { KeywardError } from '../../errors.ts'
import { isAlive } from './alive.store.ts'
import { findTokenSession } from './authenticate.ts'
import { type Grant, makeGrant } from './grant.ts'
import { expiryOf, type Origin, type StoredSession } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/**
 * Neither a race nor a lost answer logs an honest client out, and no stolen token stays valid beside its owner's:
 * - the current token moves the session to its next generation, in one conditional statement;
 * - its direct parent returns the same successor again within the grace, and longer while the successor was not used;
 * - any older token ends the session.
 *
 * A token that Keyward did not make costs one read and changes nothing.
 */
export async function refresh(needs: SessionsNeeds, presented: string, origin: Origin): Promise<Grant> {
  const { store: db, clock, lifetimes } = needs
  const found = await findTokenSession(needs, presented)
  if (!found) throw refused()
  const now = clock.now()
  const { generation } = found
  const { id, createdAt } = found.session
  const expiresAt = expiryOf(lifetimes, { createdAt, now })
  // Possible after SESSION_MAX_DAYS was lowered.
  if (expiresAt <= now) throw refused()
  if (await store.rotate(db, { ...origin, id, generation, expiresAt, now }))
    return makeGrant(needs, { ...found, generation: generation + 1 })
  return answerRotated(needs, { sessionId: id, generation }, origin)
}

/** Answers a genuine token that is not the current one. The session is read again, inside a transaction. */
async function answerRotated(
  needs: SessionsNeeds,
  { sessionId, generation }: { sessionId: string; generation: number },
  origin: Origin,
): Promise<Grant> {
  const { store: db, clock, log, audit, refreshTokensOf } = needs
  const found = await db.transaction(async () => store.findWithUser(db, sessionId))
  if (!found || !isAlive(found, clock.now())) throw refused()
  const { session } = found
  if (generation > session.generation) {
    // Only a database that was restored from a backup is behind its own tokens, so the session does not end.
    log.warn('refresh_token_ahead', { user_id: session.userId, session_id: session.id })
    await audit.record({ event: 'session.refresh_token_ahead', userId: session.userId, sessionId, ip: origin.ip })
    throw refused()
  }
  if (generation === session.generation - 1) {
    const verdict = judgeParent(needs, session)
    if (verdict === 'retry')
      return makeGrant(needs, { ...found, tokens: refreshTokensOf(session), generation: session.generation })
    if (verdict === 'refuse') throw refused()
  }
  await endReused(needs, session, { presented: generation, ip: origin.ip })
  throw refused()
}

/**
 * Judges the direct parent of the current token. The clocks of two replicas may differ by as much as the grace. After
 * the clock was set back by more, no age can be measured: the token is refused, and the session does not end.
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

/** Exactly one of many simultaneous requests with old tokens ends the session and reports it. */
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
