import { invalidField, KeywardError } from '../../errors.ts'
import { type EpochMs, MINUTE } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { deriveKey, hmacSha256, sha256 } from '../../lib/hash.ts'
import type { Deps } from '../../service.ts'
import { record } from '../audit/audit.ts'
import { isPermission, type Permission, permissionsOf } from '../roles/permissions.ts'
import type { User } from '../users/user.ts'
import * as store from './store.ts'

/** A key as it is listed; nothing of its text. */
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

/** An API key that calls for its owner, and what it may do now. */
export interface ApiKeyCaller {
  kind: 'api_key'
  userId: number
  user: User
  permissions: ReadonlySet<Permission>
}

export type ApiKeyMac = (text: string) => [current: string, ...previous: string[]]

const PREFIX = 'kw_'
const MAX_NAME = 100
/** Noting every use would make a write of every read. */
const TOUCH_EVERY = MINUTE

/** The MACs under which a key may be stored: with the present SECRET_KEY, then with the previous one. */
export function createApiKeyMac(secrets: readonly [string, ...string[]]): ApiKeyMac {
  const keys = secrets.map((secret) => deriveKey(secret, 'keyward api key v1'))
  return (text) => keys.map((key) => toBase64Url(hmacSha256(key, text))) as [string, ...string[]]
}

export const looksLikeApiKey = (token: string): boolean => token.startsWith(PREFIX)

/** Six characters that tell a mistyped or cut key before the database is asked, and a leaked one to a scanner. */
const checksum = (body: string): string => toBase64Url(sha256(`keyward api key\n${body}`)).slice(0, 6)

/** `kw_`, 32 random characters (192 bits) and a checksum of six. */
function makeText(random: Deps['random']): string {
  const body = toBase64Url(random.bytes(24))
  return PREFIX + body + checksum(body)
}

function isWellMade(text: string): boolean {
  const body = text.slice(PREFIX.length, -6)
  return /^kw_[A-Za-z0-9_-]{38}$/.test(text) && text.endsWith(checksum(body))
}

/**
 * Makes a key that acts for its owner within `scopes`, and never beyond what the owner holds when it is used.
 * @returns the key's number and its text, which is shown once and stored nowhere
 * @throws KeywardError `validation_failed` for a scope that is no permission or not the owner's, and for a name that is
 *   empty, longer than 100 characters or holds control characters
 */
export async function createApiKey(
  deps: Pick<Deps, 'store' | 'clock' | 'random' | 'apiKeyMac'>,
  {
    owner,
    name,
    scopes,
    expiresAt = null,
  }: { owner: User; name: string; scopes: readonly string[]; expiresAt?: EpochMs | null },
): Promise<{ id: number; text: string }> {
  if (!/^\P{Cc}+$/u.test(name) || name.length > MAX_NAME)
    throw invalidField('name', `The name must have 1 to ${MAX_NAME} characters and no control characters`)
  const held = await permissionsOf(deps, owner)
  if (scopes.length === 0 || !scopes.every((scope) => isPermission(scope) && held.has(scope)))
    throw invalidField('scopes', 'Each scope must be a permission that the owner holds')
  const text = makeText(deps.random)
  const createdAt = deps.clock.now()
  return deps.store.transaction(async () => {
    const key = {
      ownerId: owner.id,
      name,
      mac: deps.apiKeyMac(text)[0],
      scopes: [...new Set(scopes)].join(' '),
      createdAt,
      expiresAt,
    }
    const id = await store.insert(deps.store, key)
    await record(deps, { event: 'api_key.created', userId: owner.id, details: { id, scopes: key.scopes } })
    return { id, text }
  })
}

/**
 * Who a key acts for. Its rights are its scopes and what its owner holds now, both.
 * @throws KeywardError `invalid_token`
 */
export async function authenticateApiKey(
  deps: Pick<Deps, 'store' | 'clock' | 'apiKeyMac'>,
  text: string,
): Promise<ApiKeyCaller> {
  if (!isWellMade(text)) throw new KeywardError('invalid_token')
  const now = deps.clock.now()
  const macs = deps.apiKeyMac(text)
  for (const mac of macs) {
    const key = await store.findLive(deps.store, { mac, now })
    if (!key) continue
    if (mac !== macs[0] || now - (key.lastUsedAt ?? 0) >= TOUCH_EVERY)
      await store.touch(deps.store, { id: key.id, mac: macs[0], lastUsedAt: now })
    const held = await permissionsOf(deps, key.owner)
    const permissions = new Set(
      key.scopes
        .split(' ')
        .filter(isPermission)
        .filter((scope) => held.has(scope)),
    )
    return { kind: 'api_key', userId: key.owner.id, user: key.owner, permissions }
  }
  throw new KeywardError('invalid_token')
}

/** All keys, dead ones too. */
export const listApiKeys = (deps: Pick<Deps, 'store'>): Promise<ApiKey[]> => store.list(deps.store)

/**
 * Ends a key at once.
 * @throws KeywardError `api_key_not_found`, for one that was revoked before too
 */
export async function revokeApiKey(deps: Pick<Deps, 'store' | 'clock'>, id: number): Promise<void> {
  await deps.store.transaction(async () => {
    const revoked = await store.revoke(deps.store, { id, now: deps.clock.now() })
    if (!revoked) throw new KeywardError('api_key_not_found')
    await record(deps, { event: 'api_key.revoked', userId: revoked.ownerId, details: { id } })
  })
}
