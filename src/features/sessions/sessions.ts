import { type Clock, DAY, type EpochMs } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Factors } from '../factors/factors.ts'
import type { Limits } from '../limits/limits.ts'
import type { Mails } from '../mail/mail.ts'
import type { FormerValues, Secrets } from '../secrets/secrets.ts'
import type { AccessTokenClaims, AccessTokens, Level } from '../tokens/tokens.ts'
import type { User, Users } from '../users/users.ts'
import {
  authenticate,
  authenticateClient,
  authenticateExisting,
  findByRefreshToken,
  findCaller,
} from './authenticate.ts'
import { type BrowserSessions, browserSessions } from './browser.ts'
import { type ClientSessions, clientSessions } from './client.ts'
import { createDeviceTokens, type Device, type DeviceTokens, LIFETIME } from './device-token.ts'
import { endAll, endOwn, endOwnAll, endSome, logout, revoke } from './end.ts'
import type { EndedClientSession } from './ended.ts'
import { countDeviceUsersSince, countSessionsSince } from './former.store.ts'
import type { Asked, Grant } from './grant.ts'
import * as known from './known.store.ts'
import { findDevice, forgetKnown, type KnownDevice } from './known.ts'
import { listOwn } from './list.ts'
import { type LoginSessions, loginSessions } from './logins.ts'
import { countLive, deleteOver, findChecks, pageOfUser } from './own.store.ts'
import { type RaisedSessions, raisedSessions } from './raised.ts'
import { refresh } from './refresh.ts'
import { createRefreshTokens, type RefreshTokensOf } from './refresh-token.ts'
import type { EndReason, NewLink, Origin, SessionLifetimes, SessionSummary, StoredSession } from './session.ts'
import { createSessionMacs, type SessionMacs } from './session-mac.ts'
import * as store from './store.ts'

export { type BrowserSession, callerOfBrowser } from './browser.ts'
export type { BegunClientSession, ClientRefresh, ClientSession, NewClientSession } from './client.ts'
export type { Device } from './device-token.ts'
export type { EndedClientSession } from './ended.ts'
export type { EnrollmentToken, FinishedEnrollment, WaitingEnrollment } from './enrollment.ts'
export type { Asked, CodeAtOnce, Grant, LoginGrant } from './grant.ts'
export type { KnownDevice } from './known.ts'
export { grantOf, type Raised, type RaisedBrowser, type Shown } from './raise.ts'
export type { LoginAnswer } from './second-factor.ts'
export type {
  Begun,
  BegunSession,
  EndReason,
  FactorDue,
  NewLink,
  NewLogin,
  Origin,
  SessionSummary,
  StoredSession,
} from './session.ts'

/** The caller of a request with an access token: a live session and its user. */
export interface SessionCaller {
  kind: 'session'
  userId: number
  sessionId: string
  /** The claim `auth_time` of the access token. `findChecks` returns the present time of the session. */
  authTime: EpochMs
  /** The claim `acr` of the access token. The session may have reached a higher level since. */
  acr: Level
  user: User
}

/** The caller of a request with the access token of a registered client: the user for whom the client acts. */
export interface ClientCaller {
  kind: 'client'
  userId: number
  sessionId: string
  /** With the roles that count at the level of the session. */
  user: User
  clientId: string
  /** The granted scopes, separated by spaces. */
  scope: string
}

export interface SessionsNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
  audit: Audit
  users: Users
  limits: Limits
  factors: Factors
  tokens: AccessTokens
  mails: Pick<Mails, 'isOn' | 'notify'>
  /** Called in the transaction that ends sessions of clients, so that the clients are told. */
  logouts: { queue(ended: readonly EndedClientSession[]): Promise<void> }
  /**
   * Links an account at a provider, in the transaction in which the session begins.
   * @throws KeywardError `identity_taken`
   */
  links: { add(link: NewLink & { userId: number; ip: string }): Promise<void> }
  cookieMacs: SessionMacs
  refreshTokensOf: RefreshTokensOf
  deviceTokens: DeviceTokens
  lifetimes: SessionLifetimes
  /** The most live sessions of one user (`MAX_SESSIONS_PER_USER`). See `Sessions.begin`. */
  maxPerUser: number
}

/** Sessions, and the devices and networks that are known for a user. */
export interface Sessions extends LoginSessions, RaisedSessions, BrowserSessions, ClientSessions {
  /**
   * Exchanges a refresh token for its successor (RFC 6749 section 6, RFC 9700 section 4.14.2). A client that lost the
   * answer can retry with the same token and gets the same successor; `SessionLifetimes` has the conditions. An old
   * token that is no such retry counts as stolen, so the session ends.
   * @throws KeywardError `invalid_refresh_token`
   */
  refresh(token: string, origin: Origin, asked?: Asked): Promise<Grant>
  /**
   * Finds the caller of an access token. Every request reads the user and the session from the database in one
   * statement, so a deactivated user or an ended session is refused at once. The first use of a generation is recorded,
   * which ends the retry window of the previous refresh token.
   * @throws KeywardError `invalid_token`
   */
  authenticate(token: string): MaybePromise<SessionCaller>
  /**
   * Finds the client and the user of an access token with the scope `openid`, which a registered client got.
   * @throws KeywardError `invalid_token`; `insufficient_scope` without the scope, and for a token of Keyward's own
   */
  authenticateClient(token: string): MaybePromise<ClientCaller>
  /**
   * Like `authenticate`, but throws `user_not_found` when the token is valid and its user was deleted.
   * @throws KeywardError `invalid_token`, `user_not_found`
   */
  authenticateExisting(token: string): Promise<SessionCaller>
  /**
   * Finds the caller of an access token whose claims `AccessTokens.verifyFresh` returned. Like `authenticate`, records
   * the first use of a generation.
   * @returns undefined when the session is not alive
   */
  findCaller(claims: AccessTokenClaims): MaybePromise<SessionCaller | undefined>
  /**
   * Finds the session of a refresh token without rotating the token, and records the first use of its generation.
   * @returns undefined when the token is not the current refresh token of a live session
   */
  findByRefreshToken(token: string): Promise<{ session: StoredSession; user: User } | undefined>
  /** Lists the known devices of a user, for an export. */
  exportDevices(userId: number): Promise<object[]>
  /**
   * Lists up to `limit` sessions of a user, alive or not, with an id above `after`, by id. For an export: without secrets.
   */
  exportPage(page: { userId: number; after: string; limit: number }): Promise<({ id: string } & object)[]>
  /**
   * Returns what was checked in the caller's session, and when; undefined when the session is not stored any more.
   */
  findChecks(caller: SessionCaller): ReturnType<typeof findChecks>
  /** Lists the live sessions of the caller's user, the most recently refreshed session first. */
  listOwn(caller: Pick<SessionCaller, 'userId'>): Promise<SessionSummary[]>
  /** Ends the caller's session. Does nothing when the session has already ended. */
  logout(caller: SessionCaller, ip: string): Promise<void>
  /**
   * Ends one session of the caller's user.
   * @throws KeywardError `session_not_found` when `id` is not a live session of this user; `rate_limited`
   */
  endOwn(caller: SessionCaller, id: string, ip: string): Promise<void>
  /**
   * Ends all sessions of the caller's user, or with `exceptCurrent` all except the caller's session. With
   * `exceptCurrent`, nothing is written when the user has no other live session.
   * @throws KeywardError `invalid_token` when `exceptCurrent` is true and the caller's session has just ended;
   *   `rate_limited`
   */
  endOwnAll(caller: SessionCaller, options: { exceptCurrent: boolean; ip: string }): Promise<void>
  /**
   * Ends every session of a user except the session `keep`. A login whose credential was read before this call cannot
   * begin a session after it. Call this function in the transaction of the change that is its reason, such as a new
   * password, and record the audit event in that transaction too.
   * @throws KeywardError `invalid_token` when the session `keep` is no longer alive. When two sessions end each other
   *   at once, one call succeeds and the other call throws this error
   */
  endAll(change: { userId: number; keep?: string; reason: EndReason }): Promise<void>
  /**
   * Ends the session of a refresh token, current or old, or of an access token (RFC 7009 section 2.1). An expired
   * access token, and an altered or unknown token, has no effect and causes no error (section 2.2).
   * @throws KeywardError `invalid_client` for a live session of a client, which only `endForClient` ends
   */
  revoke(token: string, ip: string): Promise<void>
  /** The device of a device token; undefined when Keyward did not make the token, or the token has expired. */
  readDevice(token: string): Promise<Device | undefined>
  /** As `readDevice`, for a login without a password: it does not wait behind password hashes. */
  readDeviceNow(token: string): Device | undefined
  /**
   * Finds out whether a device is known for this user: a login on the device succeeded, and the device was not
   * forgotten since. A user has at most 20 known devices, not counting devices with a token of a version before 0.3.0.
   * @returns undefined when the device is not known
   */
  findDevice(device: Device, user: Pick<User, 'id' | 'deviceEpoch'>): Promise<KnownDevice | undefined>
  /** Forgets one device, which voids its token. Has no effect on a token of a version before 0.3.0. */
  forgetDevice(id: string): Promise<void>
  /**
   * Returns true when the network `client` is known for this user: the user logged in or changed the password there,
   * and the network was not forgotten since. Keyward also forgets a network when it deletes the last session that
   * began there, a week after the end of the session.
   */
  isKnownNetwork(from: { userId: number; client: string }): Promise<boolean>
  /**
   * Forgets the known devices and networks of a user. Call this function in the transaction that changes the password
   * or deactivates the user. The device of the session `keep.sessionId` stays known. The network of `keep.ip` is known
   * afterwards, even if the network was not known before.
   */
  forgetKnown(change: { userId: number; keep?: { sessionId: string; ip: string } }): Promise<void>
  /** Counts the live sessions of a user. */
  countLive(userId: number): Promise<number>
  /** Ends up to `limit` sessions of any users, and records no audit event. @returns how many sessions ended */
  endSome(limit: number, reason: EndReason): Promise<number>
  /**
   * Deletes all sessions of a user that have ended or expired, in short transactions, because a user can have hundreds
   * of thousands. Call this function before you delete the user: that transaction deletes all remaining sessions.
   */
  deleteOver(userId: number): Promise<void>
  /**
   * Deletes up to `limit` sessions that ended or expired more than a week ago. Sessions that refreshes have prolonged
   * are not deleted, but the clean-up looks at them again later.
   * @returns how many sessions were deleted or are looked at again later
   */
  cleanUp(limit: number): Promise<number>
}

/**
 * Counts the live sessions whose refresh token was made with a former data key. A refresh moves a session to the current
 * data key, so that the last of them ends at the latest of their present expiries.
 * @param since when the current data key was made
 */
export const countFormerSessions = (
  { store: db, clock }: Pick<SessionsNeeds, 'store' | 'clock'>,
  since: EpochMs,
): Promise<FormerValues> => countSessionsSince(db, { since, now: clock.now() })

/**
 * Counts the users who may have a device token that was made with a former data key. No device token is stored, so this
 * is an upper bound: a user of a version before 0.3.0 counts without one too, also after a login with the new key.
 * @param since when the current data key was made
 */
export const countFormerDeviceUsers = (
  { store: db, clock }: Pick<SessionsNeeds, 'store' | 'clock'>,
  since: EpochMs,
): Promise<FormerValues> => countDeviceUsersSince(db, { since, now: clock.now(), lifetime: LIFETIME })

/** How long a session is stored after its end or expiry, because `isKnownNetwork` reads the network of the session. */
const KEEP_ENDED = 7 * DAY

/** The most sessions that one transaction of `deleteOver` deletes, so that no other write waits for long. */
const PART = 500

export function createSessions({
  secrets,
  ...others
}: Omit<SessionsNeeds, 'cookieMacs' | 'refreshTokensOf' | 'deviceTokens'> & { secrets: Secrets }): Sessions {
  const { store: db, clock } = others
  const needs: SessionsNeeds = {
    ...others,
    cookieMacs: createSessionMacs(() => secrets.macKeys('browser_session')),
    refreshTokensOf: createRefreshTokens(createSessionMacs(() => secrets.macKeys('refresh_token'))),
    deviceTokens: createDeviceTokens({ macKeys: () => secrets.macKeys('device_token'), clock }),
  }
  return {
    ...loginSessions(needs),
    ...browserSessions(needs),
    ...clientSessions(needs),
    refresh: (token, origin, asked) => refresh(needs, token, origin, asked),
    ...raisedSessions(needs),
    authenticate: (token) => authenticate(needs, token),
    authenticateClient: (token) => authenticateClient(needs, token),
    authenticateExisting: (token) => authenticateExisting(needs, token),
    findCaller: (claims) => findCaller(needs, claims),
    findByRefreshToken: (token) => findByRefreshToken(needs, token),
    exportDevices: (userId) => known.devicesOf(db, userId),
    exportPage: (page) => pageOfUser(db, page),
    findChecks: ({ userId, sessionId }) => findChecks(db, { userId, sessionId }),
    listOwn: (caller) => listOwn(needs, caller),
    logout: (caller, ip) => logout(needs, caller, ip),
    endOwn: (caller, id, ip) => endOwn(needs, caller, { id, ip }),
    endOwnAll: (caller, options) => endOwnAll(needs, caller, options),
    endAll: (change) => endAll(needs, change),
    revoke: (token, ip) => revoke(needs, token, ip),
    readDevice: (token) => needs.deviceTokens.read(token),
    readDeviceNow: (token) => needs.deviceTokens.readNow(token),
    findDevice: (device, user) => findDevice(needs, device, user),
    forgetDevice: (id) => known.forgetDevice(db, id),
    isKnownNetwork: ({ userId, client }) => known.hasNetwork(db, { userId, network: client }),
    forgetKnown: (change) => forgetKnown(needs, change),
    countLive: (userId) => countLive(db, { userId, now: clock.now() }),
    endSome: (limit, reason) => endSome(needs, limit, reason),
    async deleteOver(userId) {
      while ((await deleteOver(db, { userId, limit: PART, now: clock.now() })) === PART);
    },
    cleanUp: (limit) => store.deleteOld(db, { before: clock.now() - KEEP_ENDED, limit }),
  }
}
