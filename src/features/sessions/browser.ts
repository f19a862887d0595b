import type { EpochMs } from '../../lib/clock.ts'
import { MINUTE } from '../../lib/clock.ts'
import { andThen, type MaybePromise } from '../../lib/maybe-promise.ts'
import { writeAside } from '../../storage/write-aside.ts'
import { type Level, levelOf } from '../tokens/tokens.ts'
import type { User } from '../users/users.ts'
import { isAlive } from './alive.store.ts'
import * as below from './below.store.ts'
import { makeCookie, parseCookie } from './cookie.ts'
import { endBrowser as endReplaced } from './end.store.ts'
import { endOne } from './end.ts'
import { endClientsBelow, recordEnd } from './ended.ts'
import { makeDeviceToken } from './grant.ts'
import { absoluteEndOf, type BegunSession, expiryOf, lifetimeOf, type StoredSession } from './session.ts'
import type { SessionCaller, SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/** A live session of Keyward's own pages in a browser. */
export interface BrowserSession {
  id: string
  user: User
  /** When a credential was last checked in the session. */
  authTime: EpochMs
  amr: readonly string[]
  /** The level of the session now. */
  acr: Level
  isRemembered: boolean
  createdAt: EpochMs
}

/** The caller of a page, for the use cases that the routes with an access token have too. */
export const callerOfBrowser = ({ id, user, authTime, acr }: BrowserSession): SessionCaller => ({
  kind: 'session',
  userId: user.id,
  sessionId: id,
  authTime,
  acr,
  user,
})

/** The sessions of browsers, which have a cookie and no tokens. */
export interface BrowserSessions {
  /**
   * The cookie of a browser session that has just begun: `kws_` and a MAC. It is no refresh token, and no refresh token
   * is a cookie.
   */
  cookieOf(begun: BegunSession): string
  /** Makes the device token of a session that has just begun; `finishLogin` makes it for other sessions. */
  makeDeviceToken(begun: BegunSession): Promise<string>
  /**
   * Finds the live browser session of a cookie. A use postpones the idle expiry, and is recorded at most every five
   * minutes, while nobody waits.
   * @returns undefined when Keyward did not make the cookie, or the session is not alive
   */
  findByCookie(cookie: string): MaybePromise<BrowserSession | undefined>
  /** Finds a live browser session by its id. Does not count as a use. */
  findBrowser(id: string): Promise<BrowserSession | undefined>
  /**
   * Ends a browser session, and the sessions of clients in it that are not offline. Does nothing when the session has
   * already ended.
   */
  endBrowser(session: Pick<BrowserSession, 'id' | 'user'>, ip: string): Promise<void>
}

export const browserSessions = (needs: SessionsNeeds): BrowserSessions => ({
  cookieOf({ session }) {
    if (session.kind !== 'browser') throw new Error('Only a browser session has a cookie')
    return makeCookie(needs.cookieMacs, session)
  },
  makeDeviceToken: (begun) => makeDeviceToken(needs, begun),
  findByCookie: (cookie) => findByCookie(needs, cookie),
  async findBrowser(id) {
    const found = await store.findWithUser(needs.store, id)
    return found && liveBrowser(needs, found)
  },
  async endBrowser({ id, user }, ip) {
    await endOne(needs, { userId: user.id, id, reason: 'logout', ip })
  },
})

/** The least time between two records of the use of a cookie. */
const RECORDED_EVERY = 5 * MINUTE

function findByCookie(needs: SessionsNeeds, text: string): MaybePromise<BrowserSession | undefined> {
  const cookie = parseCookie(text)
  if (!cookie) return undefined
  return andThen(store.findWithUser(needs.store, cookie.sessionId), (found) => {
    const isGenuine = found && needs.cookieMacs(found.session.macSalt).isGenuine(cookie.body, cookie.mac)
    const browser = isGenuine ? liveBrowser(needs, found) : undefined
    if (!browser) return undefined
    const { session } = found!
    const now = needs.clock.now()
    if (now - session.refreshedAt >= RECORDED_EVERY)
      recordUse(needs, session, { now, expiresAt: expiryAt(needs, session, now) })
    return browser
  })
}

const expiryAt = ({ lifetimes }: SessionsNeeds, session: StoredSession, now: EpochMs): EpochMs =>
  expiryOf(lifetimeOf(lifetimes, session), { createdAt: session.createdAt, now })

/** @returns undefined for a session of another kind, and for one that is not alive */
function liveBrowser(needs: SessionsNeeds, found: { session: StoredSession; user: User }): BrowserSession | undefined {
  const { session, user } = found
  const now = needs.clock.now()
  // The stored expiry is later than `expiryAt` allows if the operator has lowered a setting.
  if (session.kind !== 'browser' || !isAlive(found, now) || expiryAt(needs, session, now) <= now) return undefined
  const { id, authTime, isRemembered, createdAt } = session
  const amr = session.amr.split(' ')
  return { id, user, authTime, amr, acr: levelOf(amr), isRemembered, createdAt }
}

function recordUse(
  { store: db, log }: SessionsNeeds,
  { id, userId }: StoredSession,
  { now, expiresAt }: { now: EpochMs; expiresAt: EpochMs },
): void {
  writeAside(log, () => store.recordUse(db, { id, userId, before: now - RECORDED_EVERY, now, expiresAt }))
}

/** Ends the browser session that a new one of the same browser replaces; see `NewBrowserLogin.replaces`. */
export async function replaceBrowser(
  needs: SessionsNeeds,
  {
    replaced,
    by,
    ip,
  }: {
    replaced: string
    by: Pick<StoredSession, 'id' | 'userId' | 'createdAt' | 'isRemembered'>
    ip: string
  },
): Promise<void> {
  const { store: db, clock, lifetimes } = needs
  const reason = 'replaced'
  const ended = await endReplaced(db, { id: replaced, reason, now: clock.now() })
  if (!ended) return
  await recordEnd(needs, [ended], { reason, ip })
  if (ended.userId !== by.userId) return endClientsBelow(needs, [ended], { ip })
  const endOfBrowser = absoluteEndOf(lifetimes, by)
  await below.move(db, { from: replaced, to: by.id, lifetime: lifetimes.client, endOfBrowser })
}
