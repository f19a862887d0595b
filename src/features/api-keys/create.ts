import { type FieldError, KeywardError } from '../../errors.ts'
import { isPermission } from '../roles/roles.ts'
import type { ApiKey, ApiKeysNeeds, NewApiKey } from './api-keys.ts'
import { makeKeyText } from './key-text.ts'
import * as store from './store.ts'

const MAX_NAME = 100

/** Implements `ApiKeys.check`. */
export async function check(
  { clock, roles }: Pick<ApiKeysNeeds, 'clock' | 'roles'>,
  { owner, name, scopes, expiresAt = null }: NewApiKey,
): Promise<void> {
  const errors: FieldError[] = []
  if (!/^\P{Cc}+$/u.test(name) || name.length > MAX_NAME)
    errors.push({ field: 'name', message: `The name must have 1 to ${MAX_NAME} characters and no control characters` })
  const held = await roles.permissionsOf(owner)
  if (scopes.length === 0) errors.push({ field: 'scopes', message: 'A key needs at least one scope' })
  else if (!scopes.every((scope) => isPermission(scope) && held.has(scope)))
    errors.push({ field: 'scopes', message: 'Each scope must be a permission that the owner holds' })
  if (expiresAt !== null && expiresAt <= clock.now())
    errors.push({ field: 'expires_at', message: 'The key must expire in the future' })
  if (errors.length > 0) throw new KeywardError('validation_failed', { errors })
}

export async function create(needs: ApiKeysNeeds, key: NewApiKey): Promise<{ key: ApiKey; text: string }> {
  const { store: db, clock, random, audit, macs } = needs
  const { owner, name, scopes, expiresAt = null, by } = key
  await check(needs, key)
  const text = makeKeyText(random)
  const [mac] = macs(text)
  const words = [...new Set(scopes)].join(' ')
  return db.transaction(async () => {
    const row = { ownerId: owner.id, name, scopes: words, createdAt: clock.now(), expiresAt }
    const id = await store.insert(db, { ...row, mac })
    await audit.record({ event: 'api_key.created', userId: owner.id, ...by, details: { id, scopes: words } })
    return { key: { id, ...row, lastUsedAt: null, revokedAt: null }, text }
  })
}
