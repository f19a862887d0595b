import { KeywardError } from '../../errors.ts'
import { clientPrefix } from '../../lib/ip.ts'
import { isAlive } from './alive.store.ts'
import { findTokenSession } from './authenticate.ts'
import { type Grant, makeGrant } from './grant.ts'
import { expiryOf, type Origin, type StoredSession } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/**
 * How many late retries a session has in all. A client loses an answer now and then, but not at every refresh, so a
 * thief and the owner who take turns with one session use them up.
 */
const LATE_RETRIES = 3

/**
 * Neither a race nor a lost answer logs an honest client out, and no stolen token stays valid beside its owner's:
 * - the current token moves the session to its next generation, in one conditional statement;
 * - its direct parent returns the same successor again within the grace, and a few times later while the successor was
 *   not used;
 * - any older token ends the session.
 *
 * A token that Keyward did not make costs one read and changes nothing.
 */
export async function refresh(needs: SessionsNeeds, presented: string, origin: Origin): Promise<Grant> {
  const { store: db, clock, lifetimes } = needs
  const found = await findTokenSession(needs, presented)
  const now = clock.now()
  // A session that is over stays so, and needs no statement that would change nothing.
  if (!found || !isAlive(found, now)) throw refused()
  const { generation } = found
  const { id, userId, createdAt } = found.session
  const expiresAt = expiryOf(lifetimes, { createdAt, now })
  // Possible after SESSION_MAX_DAYS was lowered.
  if (expiresAt <= now) throw refused()
  if (await store.rotate(db, { ...origin, id, userId, generation, expiresAt, now }))
    return makeGrant(needs, { ...found, generation: generation + 1 })
  return answerRotated(needs, { userId, sessionId: id, generation }, origin)
}

/** Answers a genuine token that is not the current one. The session is read again, inside a transaction. */
async function answerRotated(
  needs: SessionsNeeds,
  { userId, sessionId, generation }: { userId: number; sessionId: string; generation: number },
  origin: Origin,
): Promise<Grant> {
  const { store: db, clock, refreshTokensOf } = needs
  for (;;) {
    const found = await db.transaction(async () => store.findWithUser(db, sessionId), { userId })
    if (!found || !isAlive(found, clock.now())) throw refused()
    const { session } = found
    if (generation > session.generation) {
      await reportAhead(needs, session, origin)
      throw refused()
    }
    const verdict = generation === session.generation - 1 ? judgeParent(needs, session, origin) : 'reused'
    if (verdict === 'reused') await endReused(needs, session, { presented: generation, ip: origin.ip })
    if (verdict === 'reused' || verdict === 'refuse') throw refused()
    // After a change by a simultaneous request the session is judged anew.
    if (verdict === 'late' && !(await countLateRetry(needs, session, origin))) continue
    return makeGrant(needs, { ...found, tokens: refreshTokensOf(session), generation: session.generation })
  }
}

/** Only a database that was restored from a backup is behind its own tokens, so the session does not end. */
async function reportAhead({ log, audit, limits }: SessionsNeeds, { id, userId }: StoredSession, { ip }: Origin) {
  log.warn('refresh_token_ahead', { user_id: userId, session_id: id })
  // A client may present the token any number of times, so the events have a limit of the session's own.
  const place = await limits.tryReserve({ rule: 'account.write', key: `s${id}` }, { userId })
  place?.keep()
  if (place) await audit.record({ event: 'session.refresh_token_ahead', userId, sessionId: id, ip })
}

/**
 * Judges the direct parent of the current token. The clocks of two replicas may differ by as much as the grace. After
 * the clock was set back by more, no age can be measured: the token is refused, and the session does not end.
 */
function judgeParent(
  { clock, lifetimes: { grace, retry } }: SessionsNeeds,
  session: StoredSession,
  origin: Origin,
): 'retry' | 'late' | 'refuse' | 'reused' {
  const { refreshedAt, confirmedGeneration, generation, lateRetries, lateRetriedAt } = session
  const now = clock.now()
  const age = now - refreshedAt
  if (Math.abs(age) <= grace) return 'retry'
  const isUnused = confirmedGeneration < generation
  if (isUnused && age <= retry && retry > 0 && !isElsewhere(session, origin)) {
    // Tabs that retry together are one late retry.
    if (lateRetriedAt !== null && lateRetriedAt >= refreshedAt && Math.abs(now - lateRetriedAt) <= grace) return 'retry'
    if (lateRetries < LATE_RETRIES) return 'late'
  }
  return age < 0 ? 'refuse' : 'reused'
}

/** A client that lost an answer still has the address or the program with which it asked, and mostly both. */
const isElsewhere = (session: Pick<StoredSession, 'ip' | 'userAgent'>, { ip, userAgent }: Origin): boolean =>
  session.userAgent !== userAgent && clientPrefix(session.ip ?? '') !== clientPrefix(ip)

/** Takes one of the late retries of a session. @returns false when the session has changed since it was read */
const countLateRetry = (
  { store: db, clock, audit }: SessionsNeeds,
  { id, userId, generation, lateRetries }: StoredSession,
  { ip }: Origin,
): Promise<boolean> =>
  db.transaction(
    async () => {
      if (!(await store.countLateRetry(db, { id, generation, lateRetries, now: clock.now() }))) return false
      await audit.record({ event: 'session.refresh_retried', userId, sessionId: id, ip })
      return true
    },
    { userId },
  )

/** Exactly one of many simultaneous requests with old tokens ends the session and reports it. */
async function endReused(
  { store: db, clock, log, audit }: SessionsNeeds,
  { id, userId, generation }: StoredSession,
  { presented, ip }: { presented: number; ip: string },
): Promise<void> {
  await db.transaction(
    async () => {
      if (!(await store.endReused(db, { id, presented, now: clock.now() }))) return
      const details = { presented, current: generation }
      await audit.record({ event: 'session.refresh_token_reused', userId, sessionId: id, ip, details })
      db.afterCommit(() => log.warn('refresh_token_reused', { user_id: userId, session_id: id }))
    },
    { userId },
  )
}

const refused = () => new KeywardError('invalid_refresh_token')
