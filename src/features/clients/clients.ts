import type { Clock, EpochMs } from '../../lib/clock.ts'
import { createLastUses, type LastUses } from '../../lib/last-uses.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Limits } from '../limits/limits.ts'
import type { Roles } from '../roles/roles.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { authenticate, identify } from './authenticate.ts'
import { type Client, type ClientSecret, type ClientSettings, isClientId } from './client.ts'
import { withoutForbidden } from './forbidden.ts'
import * as manage from './manage.ts'
import { originsOf } from './origins.ts'
import type { SettingsRules } from './settings.ts'
import * as store from './store.ts'

export {
  type Client,
  type ClientSecret,
  type ClientSettings,
  type GrantType,
  grantTypes,
  type IdTokenAlg,
  identityScopes,
  idTokenAlgs,
  isClientId,
} from './client.ts'
export { type ForbiddenResources, inspectClients } from './forbidden.ts'
export { allowsRedirect, compareRedirects, isLoopbackUri, type RedirectComparison } from './redirects.ts'

export interface ClientsSettings extends SettingsRules {
  /** Why no client can be registered with these settings; undefined when clients can be registered. */
  unavailable: string | undefined
}

export interface ClientsNeeds {
  store: Store
  clock: Clock
  random: Random
  log: Log
  audit: Audit
  limits: Limits
  roles: Pick<Roles, 'find'>
  secrets: Pick<Secrets, 'macKeys'>
  settings: ClientsSettings
  lastUses: LastUses
  /** Starts to read the origins again. */
  refreshOrigins: () => void
}

/** The administrator who makes a change over HTTP, and the address of the request. */
export interface By {
  actorId: number
  ip: string
}

/** A client to register. What is not given has a default: a random id, and a confidential client that must use PKCE. */
export type NewClient = { name: string; id?: string } & Partial<Omit<ClientSettings, 'name'>> & AllowsHttp

/** A change of a client. What is not given stays as it is. */
export type ClientChange = Partial<Omit<ClientSettings, 'isPublic'>> & AllowsHttp

interface AllowsHttp {
  /** True to accept the scheme http for redirect URIs of any host. It is not stored. */
  allowsHttp?: boolean
}

export interface NewSecret {
  /** When the secret expires; null for never, which is the default. */
  expiresAt?: EpochMs | null
  /** When the other live secrets of the client expire at the latest. Without it they stay as they are. */
  othersExpireAt?: EpochMs
}

/** A new secret with its text, which is not stored. */
export type MadeSecret = ClientSecret & { text: string }

/** The credentials of a request, and where it comes from. */
export interface SentClient {
  id: string
  /** Undefined when the request has none, as that of a public client. */
  secret: string | undefined
  /** True when the request has credentials in the header and in the form. No method may be used beside another. */
  isTwice?: boolean
  /** The network of the request. */
  client: string
  ip: string
}

/**
 * The applications that sign users in through Keyward (RFC 6749 section 2). A change of a client counts at once in
 * every process; only `origins` may be 30 s old.
 */
export interface Clients {
  /** Finds a client with its settings as they are stored, also a disabled one. */
  find(id: string): Promise<Client | undefined>
  /**
   * As `find`, for a request of the client: without the resources that the settings of this server forbid now. After a
   * change of PUBLIC_URL or JWT_AUDIENCE, a resource may be the audience of Keyward's own access tokens.
   */
  findForRequest(id: string): Promise<Client | undefined>
  /**
   * Authenticates a client by its secret, or a public client by its id alone, and returns it as `findForRequest` does. A
   * wrong secret takes a place of the limit
   * `client.secret`, which never refuses a right secret.
   * @throws KeywardError `invalid_client` when the client is unknown or disabled, the secret is wrong, expired, revoked
   *   or missing, or a public client sends a secret; `rate_limited` in place of it for a wrong secret when the limit is
   *   exhausted; `invalid_request` when the credentials were sent twice
   */
  authenticate(sent: SentClient): Promise<Client>
  /**
   * As `authenticate`, for requests that need no client.
   * @returns undefined when no client has this id: its credentials are then ignored
   * @throws the errors of `authenticate` for a registered client
   */
  identify(sent: SentClient): Promise<Client | undefined>
  /** Up to `limit` clients with an id above `after`, by id. */
  list(page: { after: string; limit: number }): Promise<Client[]>
  /**
   * Reads the settings of a new client. `create` does the same again.
   * @returns the settings with their defaults
   * @throws KeywardError `clients_unavailable`, whose sentence names the setting in the way; `validation_failed` with
   *   every wrong field, named as over HTTP; `client_taken` when a client has the given id
   */
  check(client: NewClient): Promise<ClientSettings>
  /**
   * Registers a client.
   * @returns the client, and its first secret when it is confidential
   * @throws KeywardError the errors of `check`
   */
  create(client: NewClient, by?: By): Promise<{ client: Client; secret: MadeSecret | undefined }>
  /**
   * What `update` would change.
   * @returns the settings that would be different, before and after; undefined when nothing changes
   * @throws KeywardError `validation_failed`
   */
  compare(
    client: Client,
    change: ClientChange,
  ): Promise<{ before: Partial<Client>; after: Partial<Client> } | undefined>
  /**
   * Changes a client. Writes nothing when nothing changes. The caller ends the sessions of a client that it disables.
   * @throws KeywardError `client_not_found`, `validation_failed`
   */
  update(id: string, change: ClientChange, by?: By): Promise<Client>
  /**
   * Deletes a client with its secrets and consents. The caller ends the client's sessions.
   * @throws KeywardError `client_not_found`
   */
  remove(id: string, by?: By): Promise<void>
  /** The secrets of a client, the newest first, including expired and revoked ones. */
  secretsOf(id: string): Promise<ClientSecret[]>
  /**
   * Checks whether `addSecret` may make this secret.
   * @throws KeywardError `client_is_public`, `too_many_secrets`, `validation_failed`
   */
  checkSecret(client: Client, secret: NewSecret): Promise<void>
  /**
   * Makes a further secret. A client has at most two live secrets, so that one replaces the other without a pause.
   * @throws KeywardError `client_not_found`, `client_is_public`, `too_many_secrets`; `validation_failed` for an end that
   *   has passed
   */
  addSecret(id: string, secret: NewSecret, by?: By): Promise<MadeSecret>
  /**
   * Revokes a secret at once.
   * @throws KeywardError `client_not_found`; `client_secret_not_found`, also for a revoked secret
   */
  revokeSecret(id: string, secretId: number, by?: By): Promise<void>
  /**
   * The origins of the redirect URIs of enabled public clients, for CORS: those with https, and with http on loopback
   * hosts. The set is read by `refreshOrigins`, and after each change by this process.
   */
  origins(): ReadonlySet<string>
  /** Reads the origins. Every server does it at its start and every 30 s. */
  refreshOrigins(): Promise<void>
}

export function createClients(others: Omit<ClientsNeeds, 'lastUses' | 'refreshOrigins'>): Clients {
  const { store: db } = others
  let origins: ReadonlySet<string> = new Set()
  const refreshOrigins = async () => {
    origins = originsOf(await store.redirectUrisOfPublic(db))
  }
  const needs: ClientsNeeds = {
    ...others,
    lastUses: createLastUses(),
    // An error is ignored, because a server reads the origins again within 30 s.
    refreshOrigins: () => void refreshOrigins().catch(() => {}),
  }
  const find = async (id: string) => (isClientId(id) ? store.find(db, id) : undefined)
  return {
    find,
    async findForRequest(id) {
      const client = await find(id)
      return client && withoutForbidden(client, needs.settings)
    },
    authenticate: (sent) => authenticate(needs, sent),
    identify: (sent) => identify(needs, sent),
    list: (page) => store.list(db, page),
    check: (client) => manage.check(needs, client),
    create: (client, by) => manage.create(needs, client, by),
    compare: (client, change) => manage.changed(needs, client, change),
    update: (id, change, by) => manage.update(needs, id, change, by),
    remove: (id, by) => manage.remove(needs, id, by),
    secretsOf: (id) => store.secretsOf(db, id),
    checkSecret: (client, secret) => manage.checkSecret(needs, client, secret),
    addSecret: (id, secret, by) => manage.addSecret(needs, id, secret, by),
    revokeSecret: (id, secretId, by) => manage.revokeSecret(needs, id, secretId, by),
    origins: () => origins,
    refreshOrigins,
  }
}
