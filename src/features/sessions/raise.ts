import { KeywardError } from '../../errors.ts'
import { isAlive } from './alive.store.ts'
import { type Grant, makeGrant } from './grant.ts'
import { withFactor } from './second-factor.ts'
import { expiryOf, lifetimeOf } from './session.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/** A second factor that was shown in a session. */
export interface ShownFactor {
  /** The authentication methods that it proves, such as `otp` (RFC 8176). */
  amr: readonly string[]
}

/** See `Sessions.raise`. */
export async function raise(
  needs: SessionsNeeds,
  { userId, sessionId: id }: Pick<SessionCaller, 'userId' | 'sessionId'>,
  { amr: shown }: ShownFactor,
): Promise<Grant> {
  const { store: db, clock, lifetimes, refreshTokensOf } = needs
  const now = clock.now()
  for (;;) {
    const found = await store.findWithUser(db, id)
    if (!found || found.session.userId !== userId || !isAlive(found, now)) throw new KeywardError('invalid_token')
    const { session, user } = found
    // A browser session has a cookie, and the session of a client has the tokens of the client.
    if (session.kind !== 'api') throw new Error('Only a session with tokens of its own can be raised')
    const amr = withFactor(session.amr.split(' '), shown).join(' ')
    const expiresAt = expiryOf(lifetimeOf(lifetimes, session), { createdAt: session.createdAt, now })
    const { generation } = session
    // A refresh at this moment has moved the session on: the loop reads the session again.
    if (!(await store.raise(db, { id, generation, amr, expiresAt, now }))) continue
    const raised = { ...session, amr, authTime: now, generation: generation + 1 }
    return makeGrant(needs, { session: raised, user, tokens: refreshTokensOf(raised), generation: generation + 1 })
  }
}
