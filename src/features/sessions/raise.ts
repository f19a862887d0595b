import { KeywardError } from '../../errors.ts'
import type { EpochMs } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import type { User } from '../users/users.ts'
import { isAlive } from './alive.store.ts'
import { makeCookie } from './cookie.ts'
import { type Grant, makeGrant } from './grant.ts'
import { withFactor } from './second-factor.ts'
import { expiryOf, lifetimeOf, type StoredSession } from './session.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/** What was shown in a session. */
export interface Shown {
  /** The authentication methods that it proves, such as `otp` (RFC 8176). */
  amr: readonly string[]
  /** True for a second factor, false for the password alone. */
  isFactor: boolean
}

/** The new credentials of a session that was raised: its tokens, or the cookie of a browser session. */
export type Raised = { grant: Grant } | RaisedBrowser

/** A browser session that was raised. The cookie that it had before is void. */
export interface RaisedBrowser {
  cookie: string
  isRemembered: boolean
}

/** The tokens of a session that was raised. @throws Error for a browser session */
export function grantOf(raised: Raised): Grant {
  if ('grant' in raised) return raised.grant
  throw new Error('A browser session has no tokens')
}

/** See `Sessions.raise`. */
export async function raise(
  needs: SessionsNeeds,
  { userId, sessionId: id }: Pick<SessionCaller, 'userId' | 'sessionId'>,
  shown: Shown,
): Promise<Raised> {
  const { store: db, clock } = needs
  const now = clock.now()
  for (;;) {
    const found = await store.findWithUser(db, id)
    if (!found || found.session.userId !== userId || !isAlive(found, now)) throw new KeywardError('invalid_token')
    // The session of a client has the tokens of the client.
    if (found.session.kind === 'client') throw new Error('The session of a client cannot be raised')
    const raised = await raiseOnce(needs, found, { ...shown, now })
    // A refresh at this moment has moved the session on: the loop reads the session again.
    if (raised) return raised
  }
}

async function raiseOnce(
  needs: SessionsNeeds,
  { session, user }: { session: StoredSession; user: User },
  { amr: shown, isFactor, now }: Shown & { now: EpochMs },
): Promise<Raised | undefined> {
  const { store: db, random, lifetimes, refreshTokensOf, cookieMacs } = needs
  const { generation, isRemembered } = session
  const before = session.amr.split(' ')
  const amr = (isFactor ? withFactor(before, shown) : withMethods(before, shown)).join(' ')
  const isBrowser = session.kind === 'browser'
  // The salt makes the cookie and the refresh tokens. With another one, a copy of a former one does not get the higher
  // level: within its grace period, a former refresh token would otherwise bring the new one.
  const macSalt = toBase64Url(random.bytes(16))
  const raised = { ...session, amr, macSalt, authTime: now, generation: generation + 1 }
  const expiresAt = expiryOf(lifetimeOf(lifetimes, session), { createdAt: session.createdAt, now })
  const { id } = session
  if (!(await store.raise(db, { id, generation, amr, macSalt, mfaTime: isFactor ? now : null, expiresAt, now })))
    return undefined
  if (isBrowser) return { cookie: makeCookie(cookieMacs, raised), isRemembered }
  return { grant: await makeGrant(needs, { session: raised, user, tokens: refreshTokensOf(raised), ...raised }) }
}

/** The methods of a session after one more was shown. `mfa` stays the last. */
function withMethods(amr: readonly string[], shown: readonly string[]): string[] {
  const all = new Set([...amr, ...shown])
  return all.delete('mfa') ? [...all, 'mfa'] : [...all]
}
