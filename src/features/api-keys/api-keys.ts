import { KeywardError } from '../../errors.ts'
import type { Clock, EpochMs } from '../../lib/clock.ts'
import { createLastUses, type LastUses } from '../../lib/last-uses.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/random.ts'
import type { Db, Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Permission, Roles } from '../roles/roles.ts'
import type { FormerValues, Secrets } from '../secrets/secrets.ts'
import type { User } from '../users/users.ts'
import { authenticate } from './authenticate.ts'
import { check, create } from './create.ts'
import { createKeyMacs, type KeyMacs } from './key-text.ts'
import * as store from './store.ts'

export { looksLikeApiKey } from './key-text.ts'

/** An API key without its MAC. `scopes` are permissions, space separated. */
export type ApiKey = Omit<Db['t']['apiKeys']['$inferSelect'], 'mac'>

/** The caller of a request with an API key: the owner of the key, and the permissions that the key has now. */
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
  log: Log
  lastUses: LastUses
}

/** The keys with which services call Keyward. An API key has the permissions in its scopes that the owner still has. */
export interface ApiKeys {
  /**
   * Checks the values of a new API key. `create` makes the same check again.
   * @throws KeywardError `validation_failed` with every wrong field: a scope is not a permission of the owner, there is
   *   no scope, the name is empty, longer than 100 characters or contains control characters, or the key would be
   *   expired
   */
  check(key: NewApiKey): Promise<void>
  /**
   * Creates an API key.
   * @returns the key, and its text, which is not stored
   * @throws the errors of `check`
   */
  create(key: NewApiKey): Promise<{ key: ApiKey; text: string }>
  /**
   * Finds the caller of an API key.
   * @throws KeywardError `invalid_token` when the key is unknown, expired or revoked, or its owner is inactive
   */
  authenticate(text: string): Promise<ApiKeyCaller>
  /** The keys of an owner, for an export: including expired and revoked ones, without secrets. */
  exportOf(ownerId: number): Promise<object[]>
  /** All keys, including expired and revoked ones. */
  list(): Promise<ApiKey[]>
  /** Up to `limit` keys with an id above `after`, including expired and revoked ones, by ascending id. */
  listPage(page: { ownerId?: number; after: number; limit: number }): Promise<ApiKey[]>
  /** A key that is not revoked. */
  find(id: number): Promise<ApiKey | undefined>
  /**
   * Revokes a key at once.
   * @throws KeywardError `api_key_not_found`, also for a revoked key
   */
  revoke(id: number, by?: By): Promise<void>
  /** Revokes all keys of a user, and is part of a running transaction. @returns how many keys were revoked */
  revokeOf(ownerId: number): Promise<number>
  /** Revokes every key at once. @returns how many keys were revoked */
  revokeAll(): Promise<number>
}

/**
 * Counts the live keys that are still stored with the MAC of a former data key. The next use of an API key replaces the
 * MAC by a MAC of the current data key.
 * @param since when the current data key was made
 */
export const countFormerKeys = (
  { store: db, clock }: Pick<ApiKeysNeeds, 'store' | 'clock'>,
  since: EpochMs,
): Promise<FormerValues> => store.countUnusedSince(db, { since, now: clock.now() })

/** The administrator who creates or revokes a key over HTTP, and the address of the request. */
interface By {
  actorId: number
  ip: string
}

export interface NewApiKey {
  owner: User
  name: string
  scopes: readonly string[]
  expiresAt?: EpochMs | null
  by?: By
}

export function createApiKeys({
  secrets,
  ...others
}: Omit<ApiKeysNeeds, 'macs' | 'lastUses'> & { secrets: Secrets }): ApiKeys {
  const { store: db, clock, audit } = others
  const macs = createKeyMacs(() => secrets.macKeys('api_key'))
  const needs: ApiKeysNeeds = { ...others, macs, lastUses: createLastUses() }
  return {
    check: (key) => check(needs, key),
    create: (key) => create(needs, key),
    authenticate: (text) => authenticate(needs, text),
    exportOf: (ownerId) => store.listOf(db, ownerId),
    list: () => store.list(db),
    listPage: (page) => store.listPage(db, page),
    find: (id) => store.find(db, id),
    revoke: (id, by) =>
      db.transaction(async () => {
        const revoked = await store.revoke(db, { id, now: clock.now() })
        if (!revoked) throw new KeywardError('api_key_not_found')
        await audit.record({ event: 'api_key.revoked', userId: revoked.ownerId, ...by, details: { id } })
      }),
    revokeOf: (ownerId) =>
      db.transaction(async () => {
        const revoked = await store.revokeOf(db, { ownerId, now: clock.now() })
        for (const id of revoked) await audit.record({ event: 'api_key.revoked', userId: ownerId, details: { id } })
        return revoked.length
      }),
    revokeAll: () =>
      db.transaction(async () => {
        const revoked = await store.revokeAll(db, clock.now())
        for (const { id, ownerId } of revoked)
          await audit.record({ event: 'api_key.revoked', userId: ownerId, details: { id } })
        return revoked.length
      }),
  }
}
