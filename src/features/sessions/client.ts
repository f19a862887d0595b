import { KeywardError } from '../../errors.ts'
import type { EpochMs } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { randomId } from '../../lib/random.ts'
import type { User } from '../users/users.ts'
import { findTokenSession, type TokenSession } from './authenticate.ts'
import { holdParent } from './below.store.ts'
import * as client from './client.store.ts'
import { deviceName } from './device-name.ts'
import { endExcessOfClient } from './end.store.ts'
import { endOne } from './end.ts'
import { followEnd, queueLogouts } from './ended.ts'
import { followPolicy, rotate } from './refresh.ts'
import { absoluteEndOf, type EndReason, expiryOf, type Origin, type StoredSession } from './session.ts'
import type { SessionsNeeds } from './sessions.ts'
import * as store from './store.ts'

/** A session of a registered client, which acts for a user. */
export interface ClientSession {
  /** The claim `sid` of the client's tokens. Refreshes do not change it. */
  id: string
  userId: number
  clientId: string
  /** The granted scopes, separated by spaces. */
  scope: string
  /** The granted resources (RFC 8707). */
  resources: readonly string[]
  /** True when the session outlives its browser session. */
  isOffline: boolean
  amr: readonly string[]
  authTime: EpochMs
}

export interface NewClientSession {
  /** A random id for the session; undefined to make one. */
  id?: string | undefined
  /** The user, as read now. */
  user: User
  /** The session epoch that was read when the user allowed the grant. */
  epoch: number
  /** The browser session in which the user allowed it. */
  parent?: string
  client: { id: string }
  scope: string
  resources: readonly string[]
  isOffline: boolean
  amr: readonly string[]
  authTime: EpochMs
  origin: Origin
}

/** A stored session of a client whose tokens are not made yet. */
export interface BegunClientSession {
  session: ClientSession
  user: User
  /** For `finishForClient`. */
  macSalt: string
}

/** The answer to a refresh. `generation` belongs into the access token. */
export interface ClientRefresh {
  session: ClientSession
  user: User
  generation: number
  refreshToken: string
}

/** The sessions of registered clients. */
export interface ClientSessions {
  /**
   * Begins a session of a client. Call it in the transaction of the grant, and call `finishForClient` after the commit.
   * When the user then has more than 20 live sessions at the client, the one that was refreshed longest ago ends. A
   * session with a `parent` ends with that browser session unless it is offline.
   * @throws KeywardError `invalid_grant` when the user is inactive or deleted, when all sessions of the user were ended
   *   after `epoch` was read, or when the parent is not alive
   */
  beginForClient(asked: NewClientSession): Promise<BegunClientSession>
  /** Makes the refresh token of a session that has just begun. Its generation is 0. */
  finishForClient(begun: BegunClientSession): { session: ClientSession; refreshToken: string }
  /**
   * Exchanges a refresh token of the client, under the same rules as `Sessions.refresh`. A token of another client, or of
   * no client, ends its session.
   * @param by.allow runs before the token is exchanged, and throws to refuse: the token then stays as it is. It may run
   *   twice
   * @throws KeywardError `invalid_refresh_token`; the error of `allow`
   */
  refreshForClient(
    token: string,
    by: {
      clientId: string
      origin: Origin
      allow: (found: { session: ClientSession; user: User }) => Promise<void> | void
    },
  ): Promise<ClientRefresh>
  /**
   * Ends the session of a refresh token or access token of the client (RFC 7009). A token of another client has no effect.
   */
  endForClient(by: { token: string; clientId: string; ip: string }): Promise<void>
  /**
   * Ends one session of a client, for example after a code was used twice.
   * @returns false, and writes nothing, when it has ended
   */
  endClientSession(of: { id: string; reason: EndReason; ip?: string }): Promise<boolean>
  /**
   * Ends up to `limit` live sessions of a client, or all of one user at the client, in the current transaction. Without
   * `userId`, call it again until it returns less than `limit`.
   * @returns how many sessions ended
   */
  endOfClient(of: {
    clientId: string
    userId?: number
    reason: EndReason
    limit?: number
    ip?: string
  }): Promise<number>
  /**
   * Ends up to `limit` sessions of clients that have expired, so that the clients are told. Every other session just
   * expires.
   * @returns how many sessions have ended or are looked at again later
   */
  endExpired(limit: number): Promise<number>
  /**
   * Finds out which client owns the session of a genuine refresh token, alive or not.
   * @returns null when no client owns it; undefined for another text
   */
  clientOf(refreshToken: string): Promise<string | null | undefined>
  /** Returns true when the session of a client began in this browser session, or was moved to it. */
  isBelow(id: string, browserId: string): Promise<boolean>
}

/** The most live sessions of one user at one client. */
const MAX_PER_CLIENT = 20

/** The sessions that one call of `endOfClient` ends when no number is given. */
const PART = 500

export const clientSessions = (needs: SessionsNeeds): ClientSessions => ({
  beginForClient: (asked) => beginForClient(needs, asked),
  finishForClient: ({ session, macSalt }) => ({
    session,
    refreshToken: needs.refreshTokensOf({ id: session.id, macSalt }).make(0),
  }),
  async refreshForClient(token, { clientId, origin, allow }) {
    const presenter = {
      clientId,
      origin,
      allow: ({ session, user }: TokenSession) => allow({ session: toClientSession(session), user }),
    }
    const rotated = await rotate(needs, token, presenter)
    await followPolicy(needs, rotated)
    const { session, user, tokens, generation } = rotated
    return { session: toClientSession(session), user, generation, refreshToken: tokens.make(generation) }
  },
  endForClient: (by) => endForClient(needs, by),
  async endClientSession({ id, reason, ip }) {
    const userId = await client.findUserId(needs.store, id)
    return userId !== undefined && endOne(needs, { id, userId, reason, ip })
  },
  async endOfClient({ clientId, userId, reason, limit = PART, ip }) {
    const { store: db, clock } = needs
    return db.transaction(async () => {
      const ended = await client.endOfClient(db, { clientId, userId, reason, limit, now: clock.now() })
      if (userId === undefined) await queueLogouts(needs, ended)
      else await followEnd(needs, ended, { reason, ip })
      return ended.length
    })
  },
  endExpired: (limit) =>
    needs.store.transaction(async () => {
      const { ended, postponed } = await client.endExpired(needs.store, { limit, now: needs.clock.now() })
      await queueLogouts(needs, ended)
      return ended.length + postponed
    }),
  async clientOf(refreshToken) {
    const found = await findTokenSession(needs, refreshToken)
    return found?.session.clientId
  },
  isBelow: (id, browserId) => client.isBelow(needs.store, { id, browserId }),
})

/**
 * See `ClientSessions.beginForClient`. `holdForSession` locks the user, and `holdParent` the browser session, so that
 * neither ends before the new session is stored: what ends them later finds it.
 */
async function beginForClient(needs: SessionsNeeds, asked: NewClientSession): Promise<BegunClientSession> {
  const { store: db, clock, random, audit, users, lifetimes } = needs
  const { user, epoch, parent: parentId = null, scope, resources, isOffline, authTime, origin } = asked
  const { id: userId } = user
  const clientId = asked.client.id
  const now = clock.now()
  if (user.invitedAt !== null || !(await users.holdForSession({ id: userId, epoch }))) throw refused()
  const parent = parentId === null ? undefined : await holdParent(db, { id: parentId, userId, epoch, now })
  if (parentId !== null && !parent) throw refused()
  const own = expiryOf(lifetimes.client, { createdAt: now, now })
  const expiresAt = parent && !isOffline ? Math.min(own, absoluteEndOf(lifetimes, parent)) : own
  if (expiresAt <= now) throw refused()
  const session = { id: asked.id ?? randomId(random), userId, clientId, scope, isOffline }
  const macSalt = toBase64Url(random.bytes(16))
  await store.insert(db, {
    ...session,
    ...origin,
    macSalt,
    epoch,
    kind: 'client',
    isRemembered: false,
    amr: asked.amr.join(' '),
    authTime,
    mfaTime: null,
    expiresAt,
    now,
    resources: JSON.stringify(resources),
    parentId,
    deviceName: parent?.deviceName ?? deviceName(origin.userAgent),
    // The origin is that of the client's server, and no credential of the user was checked there.
    loginNetwork: null,
    deviceId: null,
  })
  const reason = 'too_many_sessions'
  const excess = { userId, clientId, begun: session.id, keep: MAX_PER_CLIENT - 1, reason, now } as const
  await followEnd(needs, await endExcessOfClient(db, excess), { reason, ip: origin.ip })
  const details = { client_id: clientId, scope }
  await audit.record({ event: 'session.client_begun', userId, sessionId: session.id, ip: origin.ip, details })
  return { session: { ...session, resources, amr: asked.amr, authTime }, user, macSalt }
}

async function endForClient(
  needs: SessionsNeeds,
  { token, clientId, ip }: { token: string; clientId: string; ip: string },
): Promise<void> {
  const found = await findTokenSession(needs, token)
  const id = found?.session.id ?? (await needs.tokens.verifyFresh(token))?.sessionId
  if (id === undefined) return
  const userId = await client.findUserId(needs.store, id, clientId)
  if (userId !== undefined) await endOne(needs, { id, userId, reason: 'revoked', ip })
}

/** @throws Error for a session of another kind */
export function toClientSession(session: StoredSession): ClientSession {
  const { id, userId, clientId, scope, resources, isOffline, amr, authTime } = session
  if (clientId === null) throw new Error('The session belongs to no client')
  return {
    id,
    userId,
    clientId,
    scope: scope ?? '',
    resources: JSON.parse(resources ?? '[]') as string[],
    isOffline,
    amr: amr.split(' '),
    authTime,
  }
}

const refused = () => new KeywardError('invalid_grant')
