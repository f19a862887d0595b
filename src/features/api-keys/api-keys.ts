import type { Clock, EpochMs } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Permission, Roles } from '../roles/roles.ts'
import type { User } from '../users/users.ts'
import { authenticate } from './authenticate.ts'
import { createKeyMacs, type KeyMacs } from './key-text.ts'
import { create, revoke } from './manage.ts'
import * as store from './store.ts'

export { looksLikeApiKey } from './key-text.ts'

/** An API key without its text. */
export interface ApiKey {
  id: number
  ownerId: number
  name: string
  /** Permissions, space separated. */
  scopes: string
  createdAt: EpochMs
  expiresAt: EpochMs | null
  lastUsedAt: EpochMs | null
  revokedAt: EpochMs | null
}

/** A request that came with an API key: its owner, and the permissions that it has now. */
export interface ApiKeyCaller {
  kind: 'api_key'
  userId: number
  user: User
  permissions: ReadonlySet<Permission>
}

export interface ApiKeysNeeds {
  store: Store
  clock: Clock
  random: Random
  audit: Audit
  roles: Roles
  macs: KeyMacs
}

/** Keys with which services call Keyward. A key acts for its owner, within its scopes and what the owner holds now. */
export interface ApiKeys {
  /**
   * Makes a key.
   * @returns its id and its text, which is shown once and not stored
   * @throws KeywardError `validation_failed` for a scope that is no permission of the owner, and for a name that is
   *   empty, longer than 100 characters or holds control characters
   */
  create(key: NewApiKey): Promise<{ id: number; text: string }>
  /**
   * Finds the caller of a key.
   * @throws KeywardError `invalid_token`
   */
  authenticate(text: string): Promise<ApiKeyCaller>
  /** All keys, also expired and revoked ones. */
  list(): Promise<ApiKey[]>
  /**
   * Revokes a key at once.
   * @throws KeywardError `api_key_not_found`, also for a key that was revoked before
   */
  revoke(id: number): Promise<void>
}

export interface NewApiKey {
  owner: User
  name: string
  scopes: readonly string[]
  expiresAt?: EpochMs | null
}

/** @param given.secrets SECRET_KEY, then SECRET_KEY_PREVIOUS while it is being replaced */
export function createApiKeys({
  secrets,
  ...others
}: Omit<ApiKeysNeeds, 'macs'> & { secrets: readonly [string, ...string[]] }): ApiKeys {
  const needs: ApiKeysNeeds = { ...others, macs: createKeyMacs(secrets) }
  return {
    create: (key) => create(needs, key),
    authenticate: (text) => authenticate(needs, text),
    list: () => store.list(needs.store),
    revoke: (id) => revoke(needs, id),
  }
}
