import { invalidField, KeywardError } from '../../errors.ts'
import { type EpochMs, parseRfc3339 } from '../../lib/clock.ts'
import type { ApiKey } from '../api-keys/api-keys.ts'
import type { User } from '../users/users.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, makeChange, requireRank } from './change-user.ts'
import { type Page, pageOf } from './lists.ts'

const permission = 'api-keys:write'

interface NewKey {
  /** The administrator, when it is not given. */
  ownerId?: number
  name: string
  scopes: readonly string[]
  /** RFC 3339, as typed. Without it, the key never expires. */
  expiresAt?: string
}

/**
 * What administrators do to API keys. They need every permission of the owner, so a key never has a permission that its
 * maker does not have.
 */
export interface ApiKeyAdministration {
  /** A page of API keys by ascending id, including expired and revoked ones. */
  listApiKeys(page: { ownerId?: number; after: number; limit: number }): Promise<Page<ApiKey>>
  /**
   * Creates an API key.
   * @returns the key, and its text, which is not stored
   * @throws KeywardError `validation_failed`; `user_inactive` for the owner; `forbidden` when the owner has a permission
   *   that the administrator does not have; and the errors of `makeChange`
   */
  createApiKey(actor: Actor, key: NewKey): Promise<{ key: ApiKey; text: string }>
  /**
   * Revokes an API key at once.
   * @throws KeywardError `api_key_not_found`, also for a revoked key and for a text that is no id; `forbidden` when the
   *   owner has a permission that the administrator does not have; and the errors of `makeChange`
   */
  revokeApiKey(actor: Actor, id: string): Promise<void>
}

export const apiKeyAdministration = (needs: AdministrationNeeds): ApiKeyAdministration => ({
  listApiKeys: ({ limit, ...from }) =>
    pageOf(
      limit,
      (most) => needs.apiKeys.listPage({ ...from, limit: most }),
      ({ id }) => id,
    ),

  async createApiKey(actor, { ownerId, name, scopes, expiresAt: typed }) {
    const { apiKeys } = needs
    const made = await makeChange(needs, actor, {
      permission,
      plan: async (present) => {
        const owner = ownerId === undefined ? present : await findOwner(needs, ownerId)
        await requireRank(needs, present, owner)
        const key = { owner, name, scopes, expiresAt: readTime('expires_at', typed), by: byOf(actor) }
        await apiKeys.check(key)
        if (!owner.isActive) throw new KeywardError('user_inactive')
        return () => apiKeys.create(key)
      },
    })
    return made!
  },

  async revokeApiKey(actor, id) {
    await makeChange(needs, actor, {
      permission,
      plan: async (present) => {
        const key = /^[1-9]\d{0,14}$/.test(id) ? await needs.apiKeys.find(Number(id)) : undefined
        if (!key) throw new KeywardError('api_key_not_found')
        const owner = await needs.users.find(key.ownerId)
        if (!owner) throw new KeywardError('api_key_not_found')
        await requireRank(needs, present, owner)
        return () => needs.apiKeys.revoke(key.id, byOf(actor))
      },
    })
  },
})

async function findOwner({ users }: AdministrationNeeds, id: number): Promise<User> {
  const owner = await users.find(id)
  if (!owner) throw invalidField('owner_id', 'No user has this id')
  return owner
}

/** Reads a time of a body. @throws KeywardError `validation_failed` for a text that is no time */
export function readTime(field: string, typed: string | undefined): EpochMs | null {
  if (typed === undefined) return null
  const at = parseRfc3339(typed)
  if (at === undefined) throw invalidField(field, invalidTime)
  return at
}

/** The message for a text that is no time. */
export const invalidTime = 'This must be a time with its zone (RFC 3339), such as 2027-01-31T12:00:00Z'
