import { type Clock, DAY } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Client, Clients } from '../clients/clients.ts'
import type { Factors } from '../factors/factors.ts'
import type { Limits } from '../limits/limits.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { BrowserSession, Origin, SessionCaller, Sessions } from '../sessions/sessions.ts'
import type { AccessTokens } from '../tokens/tokens.ts'
import { type Authorization, type AuthorizationAsked, authorize, deny } from './authorize.ts'
import { clientCredentials } from './client-credentials.ts'
import * as codes from './codes.store.ts'
import * as consents from './consents.store.ts'
import { withdrawConsent } from './consents.ts'
import * as devices from './device.store.ts'
import {
  type DeviceAuthorization,
  decideDevice,
  findDevice,
  pollDevice,
  startDevice,
  type WaitingDevice,
} from './device.ts'
import { endSession, type Logout, type LogoutAsked, type LogoutParameters } from './end-session.ts'
import { type CodeExchange, exchangeCode } from './exchange-code.ts'
import { type ApplicationsExport, exportOf } from './export.store.ts'
import type { ClientGrant } from './grant.ts'
import { type MetadataSettings, metadataOf } from './metadata.ts'
import { refreshGrant } from './refresh-grant.ts'

export type { AuthorizationRequest, PageReason } from './authorization-request.ts'
export type { Authorization, AuthorizationAsked } from './authorize.ts'
export type { ConsentSummary } from './consents.store.ts'
export { isNative } from './decide.ts'
export { DEVICE_CODE_GRANT, type DeviceAuthorization, type WaitingDevice } from './device.ts'
export type { Logout, LogoutAsked, LogoutParameters } from './end-session.ts'
export type { CodeExchange } from './exchange-code.ts'
export type { ClientGrant } from './grant.ts'
export { metadataOf } from './metadata.ts'
export { type StandardScope, standardScopes } from './scopes.ts'
export { userinfo } from './userinfo.ts'

export interface OpenIdNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
  audit: Audit
  secrets: Secrets
  limits: Limits
  clients: Pick<Clients, 'find' | 'findForRequest' | 'authenticate'>
  sessions: Sessions
  factors: Pick<Factors, 'atLevel'>
  tokens: AccessTokens
  /** PUBLIC_URL. */
  issuer: string
  lifetimes: OpenIdLifetimes
  settings: Omit<MetadataSettings, 'issuer'>
}

export interface OpenIdLifetimes {
  /** How long an authorization code is good (`AUTH_CODE_SECONDS`). */
  codeSeconds: number
  /** How long a device waits for its user (`DEVICE_CODE_MINUTES`). */
  deviceCodeMinutes: number
}

/** The OpenID provider: applications sign users in through Keyward (OpenID Connect Core 1.0, RFC 6749). */
export interface OpenId {
  /** False when no client can be registered; then there are no routes but the metadata of the authorization server. */
  isProvider: boolean
  /** False with `PASSWORD_GRANT=off`. */
  hasPasswordGrant: boolean
  /** False with `PASSKEYS=off`. */
  hasPasskeys: boolean
  /** The metadata for clients (RFC 8414, OpenID Connect Discovery 1.0). */
  metadata: ReturnType<typeof metadataOf>
  /**
   * Judges an authorization request, and gives the code if nothing has to be asked. Requests of strangers store nothing.
   * @param query the query of the request, percent-encoded as it came
   */
  authorize(query: string, asked: AuthorizationAsked): Promise<Authorization>
  /** The answer to the client when the user does not agree. */
  deny(query: string): Promise<Authorization>
  /**
   * Exchanges a code for tokens (RFC 6749 section 4.1.3). A code is good once: a second use ends the session that the
   * first use began.
   * @throws KeywardError `invalid_grant`, `unauthorized_client`
   */
  exchangeCode(client: Client, sent: CodeExchange, origin: Origin): Promise<ClientGrant>
  /**
   * Refreshes a session of a client (RFC 6749 section 6). A retry after a lost answer gets the same refresh token, as
   * at `Sessions.refresh`.
   * @throws KeywardError `invalid_grant`, `invalid_scope`, `unauthorized_client`
   */
  refresh(
    client: Client,
    sent: { refreshToken: string; scope: string | undefined },
    origin: Origin,
  ): Promise<ClientGrant>
  /**
   * Gives a confidential client a token of its own (RFC 6749 section 4.4).
   * @throws KeywardError `invalid_scope`, `invalid_target`, `unauthorized_client`
   */
  clientCredentials(client: Client, sent: { scope: string | undefined; resource: string | undefined }): ClientGrant
  /**
   * Begins the request of a device without a browser (RFC 8628 section 3.1).
   * @throws KeywardError `invalid_scope`, `invalid_target`, `unauthorized_client`, `rate_limited`
   */
  startDevice(
    client: Client,
    sent: { scope: string | undefined; resource: string | undefined; ip: string; network: string },
  ): Promise<DeviceAuthorization>
  /**
   * Finds the waiting device of a user code, and binds it to the browser session: no other may decide about it then.
   * @throws KeywardError `invalid_or_expired`, which counts in the limits of user codes; `rate_limited`
   */
  findDevice(typed: string, by: { browser: BrowserSession; ip: string; network: string }): Promise<WaitingDevice>
  /**
   * Allows a device or not, in the browser session to which it is bound.
   * @throws KeywardError `invalid_or_expired`
   */
  decideDevice(typed: string, by: { browser: BrowserSession; isAllowed: boolean; ip: string }): Promise<void>
  /**
   * Answers the poll of a device (RFC 8628 section 3.4). The session goes on when the browser session ends.
   * @throws KeywardError `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`,
   *   `unauthorized_client`
   */
  pollDevice(client: Client, deviceCode: string, origin: Origin): Promise<ClientGrant>
  /**
   * Judges a logout that a client asks for (OpenID Connect RP-Initiated Logout 1.0), and ends the browser's session
   * unless the user has to be asked. Without a session in the browser, only the client's own session ends.
   */
  endSession(sent: LogoutParameters, asked: LogoutAsked): Promise<Logout>
  /** The clients that a user allowed something, by name. */
  listConsents(userId: number): Promise<consents.ConsentSummary[]>
  /**
   * Withdraws a consent, and ends the client's sessions of this user.
   * @throws KeywardError `client_not_found`, `rate_limited`
   */
  withdrawConsent(
    caller: Pick<SessionCaller, 'userId' | 'sessionId'>,
    of: { clientId: string; ip: string },
  ): Promise<void>
  /** Deletes up to `limit` codes, and as many requests of devices, that expired more than a day ago. @returns how many */
  cleanUp(limit: number): Promise<number>
}

export function createOpenId(needs: OpenIdNeeds): OpenId {
  const { store: db, clock, issuer, settings } = needs
  return {
    isProvider: settings.isProvider,
    hasPasswordGrant: settings.hasPasswordGrant,
    hasPasskeys: settings.hasPasskeys,
    metadata: metadataOf({ issuer, ...settings }),
    authorize: (query, asked) => authorize(needs, query, asked),
    deny: (query) => deny(needs, query),
    exchangeCode: (client, sent, origin) => exchangeCode(needs, client, sent, origin),
    refresh: (client, sent, origin) => refreshGrant(needs, client, sent, origin),
    clientCredentials: (client, sent) => clientCredentials(needs, client, sent),
    startDevice: (client, sent) => startDevice(needs, client, sent),
    findDevice: (typed, by) => findDevice(needs, typed, by),
    decideDevice: (typed, by) => decideDevice(needs, typed, by),
    pollDevice: (client, deviceCode, origin) => pollDevice(needs, client, deviceCode, origin),
    endSession: (sent, asked) => endSession(needs, sent, asked),
    listConsents: (userId) => consents.listOf(db, userId),
    withdrawConsent: (caller, of) => withdrawConsent(needs, caller, of),
    async cleanUp(limit) {
      const old = { before: clock.now() - DAY, limit }
      return (await codes.deleteOld(db, old)) + (await devices.deleteOld(db, old))
    },
  }
}

/** Reads what a user gave applications. It is made before the feature, because the export of an account needs it. */
export const createApplications = (store: Store): { exportOf(userId: number): Promise<ApplicationsExport> } => ({
  exportOf: (userId) => exportOf(store, userId),
})
