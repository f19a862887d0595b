import { KeywardError } from '../../errors.ts'
import type { EpochMs } from '../../lib/clock.ts'
import { clientPrefix } from '../../lib/ip.ts'
import { levelOf } from '../tokens/tokens.ts'
import { isAlive } from './alive.store.ts'
import { findTokenSession, type TokenSession } from './authenticate.ts'
import { findParent } from './below.store.ts'
import { findClientName } from './client.store.ts'
import { deviceName } from './device-name.ts'
import { endReused as markReused } from './end.store.ts'
import { endOne } from './end.ts'
import { queueLogouts } from './ended.ts'
import { type Asked, type Grant, makeGrant } from './grant.ts'
import { absoluteEndOf, expiryOf, lifetimeOf, type Origin, type StoredSession } from './session.ts'
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
  const rotated = await rotate(needs, presented, { clientId: null, origin })
  await followPolicy(needs, rotated)
  return makeGrant(needs, rotated, asked)
}

/** Begins the grace period of a user who logged in before a rule wanted a second factor. */
export async function followPolicy({ factors }: SessionsNeeds, { session, user }: TokenSession): Promise<void> {
  if (levelOf(session.amr.split(' ')) === 'aal1') await factors.demand(user)
}

/** Who presents a refresh token. */
export interface Presenter {
  /** The client; null for a request without a client, which refreshes the sessions that no client owns. */
  clientId: string | null
  origin: Origin
  /** Runs before new tokens are given, and throws to refuse them. A refused token stays as it is. */
  allow?: (found: TokenSession) => unknown
}

/**
 * Exchanges a refresh token; see `refresh`. The token of another client ends its session: only a thief has it. Without
 * a client, such a token is refused and nothing more, because nobody has proved who sends it.
 * @returns the session, and the generation of the tokens that the presenter gets
 * @throws KeywardError `invalid_refresh_token`; the error of `allow`
 */
export async function rotate(needs: SessionsNeeds, presented: string, by: Presenter): Promise<TokenSession> {
  const { store: db, clock } = needs
  const { clientId, origin } = by
  const found = await findTokenSession(needs, presented)
  const now = clock.now()
  // `store.rotate` below checks this again. The check here saves the write when the session is not alive.
  // A browser session has no refresh token, so nobody sends one.
  if (!found || found.session.kind === 'browser' || !isAlive(found, now)) throw refused()
  const { generation } = found
  const { id, userId } = found.session
  if (found.session.clientId !== clientId) {
    if (clientId !== null) await endOne(needs, { userId, id, reason: 'foreign_client', ip: origin.ip })
    throw refused()
  }
  const expiresAt = await refreshedExpiry(needs, found.session, now)
  // The session is past its absolute lifetime. The stored expiry is later if the operator lowered SESSION_MAX_DAYS.
  if (expiresAt <= now) throw refused()
  // An old token is judged below, before `allow` can refuse it.
  if (generation === found.session.generation) {
    await by.allow?.(found)
    const { parentId } = found.session
    if (await store.rotate(db, { ...origin, id, userId, clientId, parentId, generation, expiresAt, now }))
      return { ...found, generation: generation + 1 }
  }
  const rotated = await answerRotated(needs, found, by)
  return rotated ?? rotate(needs, presented, by)
}

/** Returns when a session expires that is refreshed now. The session of a client ends with its browser session. */
async function refreshedExpiry(
  { store: db, lifetimes }: SessionsNeeds,
  session: StoredSession,
  now: EpochMs,
): Promise<EpochMs> {
  const expiresAt = expiryOf(lifetimeOf(lifetimes, session), { createdAt: session.createdAt, now })
  if (session.parentId === null || session.isOffline) return expiresAt
  const parent = await findParent(db, session.parentId)
  return parent ? Math.min(expiresAt, absoluteEndOf(lifetimes, parent)) : now
}

/**
 * Answers a genuine token that `store.rotate` did not accept as the current token. Reads the session again, because a
 * concurrent refresh may have changed the session after the first read.
 * @returns undefined when the session has moved to another browser session since it was read, and its expiry with it
 */
async function answerRotated(
  needs: SessionsNeeds,
  { session: { id, userId, parentId }, generation }: TokenSession,
  { origin, allow }: Presenter,
): Promise<TokenSession | undefined> {
  const { store: db, clock, refreshTokensOf } = needs
  for (;;) {
    const found = await db.transaction(async () => store.findWithUser(db, id), { userId })
    if (!found || !isAlive(found, clock.now())) throw refused()
    const { session } = found
    if (generation === session.generation && parentId !== session.parentId) return undefined
    if (generation > session.generation) {
      await reportAhead(needs, session, origin)
      throw refused()
    }
    const verdict = generation === session.generation - 1 ? judgeParent(needs, session, origin) : 'reused'
    if (verdict === 'reused') await endReused(needs, session, { presented: generation, ip: origin.ip })
    if (verdict === 'reused' || verdict === 'refuse') throw refused()
    const answered = { ...found, tokens: refreshTokensOf(session), generation: session.generation }
    await allow?.(answered)
    // A concurrent request has changed the session after it was read, so the loop reads the session again.
    if (verdict === 'late' && !(await countLateRetry(needs, session, origin))) continue
    return answered
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
  needs: SessionsNeeds,
  { id, userId, clientId, generation, userAgent }: StoredSession,
  { presented, ip }: { presented: number; ip: string },
): Promise<void> {
  const { store: db, clock, log, audit, mails } = needs
  await db.transaction(
    async () => {
      const ended = await markReused(db, { id, presented, now: clock.now() })
      if (!ended) return
      await queueLogouts(needs, [ended])
      const details = { presented, current: generation, ...(clientId !== null && { client_id: clientId }) }
      await audit.record({ event: 'session.refresh_token_reused', userId, sessionId: id, ip, details })
      const client = clientId === null ? undefined : await findClientName(db, clientId)
      await mails.notify('session_reused', userId, { ip, device: client ?? deviceName(userAgent) })
      db.afterCommit(() => log.warn('refresh_token_reused', { user_id: userId, session_id: id }))
    },
    { userId },
  )
}

const refused = () => new KeywardError('invalid_refresh_token')
