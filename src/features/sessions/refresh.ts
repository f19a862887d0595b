import { KeywardError } from '../../errors.ts'
import { isAlive } from './alive.store.ts'
import { findTokenSession } from './authenticate.ts'
import { type Grant, makeGrant } from './grant.ts'
import { expiryOf, type Origin, type StoredSession } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/**
 * An honest client keeps its session when two of its refreshes run at once, or when an answer is lost. A stolen token
 * does not stay valid next to the owner's token:
 * - The current token moves the session to its next generation, in one conditional statement.
 * - The direct parent of the current token returns the current token within the grace period, and within the longer
 *   retry window if no client has used the current token.
 * - Any older token ends the session.
 *
 * A token that Keyward did not make costs at most one read and changes nothing.
 */
export async function refresh(needs: SessionsNeeds, presented: string, origin: Origin): Promise<Grant> {
  const { store: db, clock, lifetimes } = needs
  const found = await findTokenSession(needs, presented)
  if (!found) throw refused()
  const now = clock.now()
  const { generation } = found
  const { id, createdAt } = found.session
  const expiresAt = expiryOf(lifetimes, { createdAt, now })
  // The session is past its absolute lifetime. The stored expiry can be later, if SESSION_MAX_DAYS was lowered.
  if (expiresAt <= now) throw refused()
  if (await store.rotate(db, { ...origin, id, generation, expiresAt, now }))
    return makeGrant(needs, { ...found, generation: generation + 1 })
  return answerRotated(needs, { sessionId: id, generation }, origin)
}

/** Answers a genuine token that is not the current token. Reads the session a second time, inside a transaction. */
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
    // A genuine token is newer than the session only if the database was restored from a backup. This is not a reuse,
    // so the session does not end.
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
 * Decides what happens to the direct parent of the current token. The clocks of two replicas may differ by up to the
 * grace period. If the clock was set back by more, the age of the refresh is unknown. Then a parent whose successor was
 * used is refused, but the session does not end.
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

/** Ends the session and reports the reuse. Of many concurrent requests with old tokens, exactly one has this effect. */
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
