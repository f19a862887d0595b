import { KeywardError } from '../../errors.ts'
import { clientPrefix } from '../../lib/ip.ts'
import { isAlive } from './alive.store.ts'
import { findTokenSession } from './authenticate.ts'
import { deviceName } from './device-name.ts'
import { type Asked, type Grant, makeGrant } from './grant.ts'
import { expiryOf, type Origin, type StoredSession } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/**
 * The most late retries in one session. An honest client rarely loses an answer. When a thief and the owner use one
 * session in turns, each turn needs a late retry, so this limit soon ends the session.
 */
const LATE_RETRIES = 3

/**
 * See `Sessions.refresh`. An honest client keeps its session when two of its refreshes run at once, or when an answer
 * is lost. A stolen token does not stay valid next to the owner's token:
 * - The current token moves the session to its next generation, in one conditional statement.
 * - The parent of the current token returns the current token within the grace period. Within the longer retry window
 *   the parent does so too, but only under the conditions in `judgeParent`.
 * - The parent at any other time, and any older token, ends the session. `judgeParent` has one exception, for clocks.
 *
 * A token that Keyward did not make costs at most one read and changes nothing.
 */
export async function refresh(needs: SessionsNeeds, presented: string, origin: Origin, asked?: Asked): Promise<Grant> {
  const { store: db, clock, lifetimes } = needs
  const found = await findTokenSession(needs, presented)
  const now = clock.now()
  // `rotate` below checks this again. The check here saves the write when the session is not alive.
  if (!found || !isAlive(found, now)) throw refused()
  const { generation } = found
  const { id, userId, createdAt } = found.session
  const expiresAt = expiryOf(lifetimes, { createdAt, now })
  // The session is past its absolute lifetime. The stored expiry is later if the operator lowered SESSION_MAX_DAYS.
  if (expiresAt <= now) throw refused()
  if (await store.rotate(db, { ...origin, id, userId, generation, expiresAt, now }))
    return makeGrant(needs, { ...found, generation: generation + 1 }, asked)
  return answerRotated(needs, { userId, sessionId: id, generation }, origin, asked)
}

/**
 * Answers a genuine token that `store.rotate` did not accept as the current token. Reads the session again, because a
 * concurrent refresh may have changed the session after the first read.
 */
async function answerRotated(
  needs: SessionsNeeds,
  { userId, sessionId, generation }: { userId: number; sessionId: string; generation: number },
  origin: Origin,
  asked?: Asked,
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
    // A concurrent request has changed the session after it was read, so the loop reads the session again.
    if (verdict === 'late' && !(await countLateRetry(needs, session, origin))) continue
    return makeGrant(needs, { ...found, tokens: refreshTokensOf(session), generation: session.generation }, asked)
  }
}

/**
 * Reports a genuine token whose generation is above that of the session. Such a token exists after the database was
 * restored from a backup. The token was not copied, so the session does not end.
 */
async function reportAhead({ log, audit, limits }: SessionsNeeds, { id, userId }: StoredSession, { ip }: Origin) {
  log.warn('refresh_token_ahead', { user_id: userId, session_id: id })
  // A client can send the token any number of times. The rate limit keeps the audit log small.
  const place = await limits.tryReserve([{ rule: 'account.write', key: `s${id}` }], { userId })
  place?.keep()
  if (place) await audit.record({ event: 'session.refresh_token_ahead', userId, sessionId: id, ip })
}

/**
 * Decides how Keyward answers a refresh with the parent of the current token. The clocks of two replicas may differ by
 * up to the grace period. If the clock was set back by more, the last refresh seems to be in the future and its age is
 * unknown. A parent that is no allowed retry is then refused, but the session does not end.
 * @returns
 * - `retry`: answer with the current token
 * - `late`: count a late retry, then answer with the current token
 * - `refuse`: refuse this request only
 * - `reused`: refuse this request and end the session
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
    // When several tabs of a browser retry within one grace period, their retries count as one late retry.
    if (lateRetriedAt !== null && lateRetriedAt >= refreshedAt && Math.abs(now - lateRetriedAt) <= grace) return 'retry'
    if (lateRetries < LATE_RETRIES) return 'late'
  }
  return age < 0 ? 'refuse' : 'reused'
}

/**
 * Returns true when both the network and the user agent differ from those of the last refresh. When a client retries
 * after a lost answer, at least one of the two is unchanged.
 */
const isElsewhere = (session: Pick<StoredSession, 'ip' | 'userAgent'>, { ip, userAgent }: Origin): boolean =>
  session.userAgent !== userAgent && clientPrefix(session.ip ?? '') !== clientPrefix(ip)

/** Counts a late retry and records the audit event. @returns false when the session has changed since it was read */
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

/**
 * Ends the session, records the reuse, and notifies the user by mail. When many requests with old tokens run at once,
 * only one of them does this.
 */
async function endReused(
  { store: db, clock, log, audit, mails }: SessionsNeeds,
  { id, userId, generation, userAgent }: StoredSession,
  { presented, ip }: { presented: number; ip: string },
): Promise<void> {
  await db.transaction(
    async () => {
      if (!(await store.endReused(db, { id, presented, now: clock.now() }))) return
      const details = { presented, current: generation }
      await audit.record({ event: 'session.refresh_token_reused', userId, sessionId: id, ip, details })
      await mails.notify('session_reused', userId, { ip, device: deviceName(userAgent) })
      db.afterCommit(() => log.warn('refresh_token_reused', { user_id: userId, session_id: id }))
    },
    { userId },
  )
}

const refused = () => new KeywardError('invalid_refresh_token')
