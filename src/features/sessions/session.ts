import type { EpochMs } from '../../lib/clock.ts'
import type { FactorMethod, NewTrustedDevice } from '../factors/factors.ts'
import type { User } from '../users/users.ts'
import type { KnownDevice } from './known.ts'

/** The IP address and the user agent of a request, as stored with the session. */
export interface Origin {
  ip: string
  /** The `User-Agent` header, at most 512 characters. */
  userAgent: string | null
}

/**
 * `api`: a login with an access token and a refresh token of Keyward's own. `browser`: a login on Keyward's pages, with a
 * cookie. `client`: a grant of a registered client, for example in a browser session.
 */
export type SessionKind = 'api' | 'browser' | 'client'

export type EndReason =
  | 'logout'
  | 'replaced'
  | 'browser_session_ended'
  | 'ended_by_user'
  | 'password_changed'
  | 'factor_changed'
  | 'password_set_by_admin'
  | 'password_reset'
  | 'email_verified'
  | 'email_changed'
  | 'email_change_undone'
  | 'invitation_accepted'
  | 'factors_reset'
  | 'factors_recovered'
  | 'deactivated'
  | 'refresh_token_reused'
  | 'revoked'
  | 'too_many_sessions'
  | 'secrets_renewed'
  | 'ended_by_admin'
  | 'foreign_client'
  | 'code_reused'
  | 'consent_withdrawn'
  | 'client_disabled'
  | 'client_deleted'
  | 'user_deleted'
  | 'expired'

export interface Lifetime {
  /** A session expires this long after its login, its last refresh, or the last recorded use of its cookie. */
  idle: number
  /** A session expires at the latest this long after its login. */
  absolute: number
}

/** How long sessions last, and how long a refresh can be retried; all in milliseconds. */
export interface SessionLifetimes extends Lifetime {
  /** The lifetime of a browser session without "keep me signed in". */
  browser: Lifetime
  /** The lifetime of a browser session with "keep me signed in". */
  remembered: Lifetime
  /** The lifetime of the session of a client. Unless it is offline, it also ends with its browser session. */
  client: Lifetime
  /** For this time after a refresh, the previous refresh token returns the same successor in every case. */
  grace: number
  /**
   * For this time after a refresh, the previous refresh token returns the same successor while no client has used the
   * successor. The client must have the network or the user agent of that refresh. A session has at most three such
   * late retries. 0 disables late retries.
   */
  retry: number
}

export function lifetimeOf(
  lifetimes: SessionLifetimes,
  { kind, isRemembered }: { kind: SessionKind; isRemembered: boolean },
): Lifetime {
  if (kind === 'browser') return isRemembered ? lifetimes.remembered : lifetimes.browser
  return kind === 'client' ? lifetimes.client : lifetimes
}

/**
 * Returns the time at which a session expires when it begins or is used at `now`: the idle expiry or the absolute
 * expiry, whichever is earlier.
 */
export const expiryOf = (
  { idle, absolute }: Lifetime,
  { createdAt, now }: { createdAt: EpochMs; now: EpochMs },
): EpochMs => Math.min(now + idle, createdAt + absolute)

/** The absolute expiry of a browser session, which also bounds the sessions of clients in it that are not offline. */
export const absoluteEndOf = (
  lifetimes: SessionLifetimes,
  { createdAt, isRemembered }: { createdAt: EpochMs; isRemembered: boolean },
): EpochMs => createdAt + lifetimeOf(lifetimes, { kind: 'browser', isRemembered }).absolute

/** A login whose credential was checked. */
export interface NewLogin {
  /** The user, as read together with the credential. */
  user: User
  /** The authentication methods of the login, such as `pwd` (RFC 8176). */
  amr: readonly string[]
  origin: Origin
  /** The known device whose device token came with the login; undefined when there is none. */
  device?: KnownDevice
  /** Given for a login on a page: the session gets a cookie, and no refresh token. */
  browser?: NewBrowserLogin
  /** The account at a provider that gets linked with the user when the session begins, and not before. */
  link?: NewLink
  /** The token of a trusted device that came with a password. It does not take the place of the password. */
  trustedToken?: string
}

export interface NewLink {
  /** The name and the label of the provider. */
  provider: string
  label: string
  issuer: string
  subject: string
  email: string | null
}

export interface NewBrowserLogin {
  /** True for "keep me signed in". */
  isRemembered: boolean
  /**
   * The browser session of the cookie that came with the login. It ends. The sessions of clients in it go on under the
   * new session if the user is the same, and otherwise end too.
   */
  replaces?: string
}

/**
 * A stored session whose tokens are not made yet. `Sessions.finishLogin` makes the tokens; for a browser session,
 * `cookieOf` makes the cookie.
 */
export interface BegunSession {
  session: Pick<StoredSession, 'id' | 'macSalt' | 'kind' | 'amr' | 'authTime' | 'isRemembered'>
  user: User
  /** The id for the device token: the id of the known device of the login, or the id of a new device. */
  deviceId: string
  /** The scope that the client asked for with the first factor, when a second factor came later. */
  scope?: string
  /** Given when the login has shown a second factor, and the device is trusted from now on. */
  trusted?: NewTrustedDevice
  /**
   * Given when a rule wants a second factor that the user does not have: from when some roles, or the login, are withheld
   * without one.
   */
  secondFactorDue?: EpochMs
}

/**
 * A login whose first factor was right, and whose user has a second one, or must add one first. Nothing is stored yet,
 * and nothing was given out. `Sessions.finishLogin` and `Sessions.requireSession` store it and refuse with its
 * `mfa_token`.
 */
export interface FactorDue extends Omit<NewLogin, 'origin' | 'trustedToken'> {
  /** `enrollment`: a rule wants a factor of everybody, the user has none, and the grace period is over. */
  due: 'factor' | 'enrollment'
  ip: string
  /** The methods that work now; none for an enrollment. */
  methods: readonly FactorMethod[]
}

/** What a login leads to. */
export type Begun = BegunSession | FactorDue

export const isDue = (begun: Begun): begun is FactorDue => 'due' in begun

/** What was checked in a session, and when. */
export interface SessionChecks extends Pick<StoredSession, 'amr' | 'authTime' | 'kind' | 'isRemembered'> {
  /** When a second factor was checked; null for never. */
  mfaTime: EpochMs | null
}

/** The columns of a session that authentication and refresh use. */
export interface StoredSession {
  id: string
  userId: number
  epoch: number
  amr: string
  authTime: EpochMs
  generation: number
  confirmedGeneration: number
  macSalt: string
  createdAt: EpochMs
  refreshedAt: EpochMs
  expiresAt: EpochMs
  endedAt: EpochMs | null
  lateRetries: number
  lateRetriedAt: EpochMs | null
  /** `ip` and `userAgent` come from the last refresh, or from the login while there was no refresh. */
  ip: string | null
  userAgent: string | null
  kind: SessionKind
  /** The client, its scopes and a JSON list of its resources, for a session of the kind `client`; otherwise null. */
  clientId: string | null
  scope: string | null
  resources: string | null
  /** The browser session in which the session of a client began. */
  parentId: string | null
  /** True for the session of a client that outlives its browser session (`offline_access`). */
  isOffline: boolean
  /** True for a browser session with "keep me signed in". */
  isRemembered: boolean
}

/** A session that has just ended. */
export type EndedSession = Pick<StoredSession, 'id' | 'userId' | 'kind' | 'clientId'>

/** A session as its user sees it. */
export interface SessionSummary {
  id: string
  createdAt: EpochMs
  lastUsedAt: EpochMs
  expiresAt: EpochMs
  ip: string | null
  userAgent: string | null
  /** Browser and system of the login, or empty. Null when a session of a version before 0.3.0 has no name yet. */
  deviceName: string | null
  amr: string
  kind: SessionKind
  clientId: string | null
  /** The name of the client; null when no client owns the session, or the client was deleted. */
  clientName: string | null
  isOffline: boolean
}
