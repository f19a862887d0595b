import { invalidField } from '../../errors.ts'
import { isPermission } from '../roles/roles.ts'
import type { ApiKeysNeeds, NewApiKey } from './api-keys.ts'
import { makeKeyText } from './key-text.ts'
import * as store from './store.ts'

const MAX_NAME = 100

export async function create(
  { store: db, clock, random, audit, roles, macs }: ApiKeysNeeds,
  { owner, name, scopes, expiresAt = null }: NewApiKey,
): Promise<{ id: number; text: string }> {
  if (!/^\P{Cc}+$/u.test(name) || name.length > MAX_NAME)
    throw invalidField('name', `The name must have 1 to ${MAX_NAME} characters and no control characters`)
  const held = await roles.permissionsOf(owner)
  if (scopes.length === 0 || !scopes.every((scope) => isPermission(scope) && held.has(scope)))
    throw invalidField('scopes', 'Each scope must be a permission that the owner holds')
  const text = makeKeyText(random)
  const [mac] = macs(text)
  const words = [...new Set(scopes)].join(' ')
  return db.transaction(async () => {
    const row = { ownerId: owner.id, name, mac, scopes: words, createdAt: clock.now(), expiresAt }
    const id = await store.insert(db, row)
    await audit.record({ event: 'api_key.created', userId: owner.id, details: { id, scopes: words } })
    return { id, text }
  })
}
