import { KeywardError } from '../../errors.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { type ApiKeyCaller, looksLikeApiKey } from '../api-keys/api-keys.ts'
import { factorMissing } from '../factors/factors.ts'
import { isPermission, type Permission } from '../roles/roles.ts'
import type { ClientCaller, SessionCaller } from '../sessions/sessions.ts'
import type { User } from '../users/users.ts'
import type { AccessNeeds } from './access.ts'

type Caller = SessionCaller | ApiKeyCaller

export function authorize(
  needs: AccessNeeds,
  token: string,
  access: string,
  fresh = false,
): MaybePromise<Caller | ClientCaller> {
  if (fresh && looksLikeApiKey(token)) return refuseApiKey(needs, token)
  if (access === 'user') return needs.sessions.authenticate(token)
  if (access === 'openid') return needs.sessions.authenticateClient(token)
  if (access === 'existing-user') return needs.sessions.authenticateExisting(token)
  return authorizeByPermission(needs, token, access)
}

/** Throws `forbidden` for a valid API key, and `invalid_token` for an API key that is not valid. */
async function refuseApiKey({ apiKeys }: AccessNeeds, token: string): Promise<never> {
  await apiKeys.authenticate(token)
  throw new KeywardError('forbidden')
}

export async function authorizeByPermission(needs: AccessNeeds, token: string, word: string): Promise<Caller> {
  const { sessions, apiKeys, roles } = needs
  if (looksLikeApiKey(token)) {
    const caller = await apiKeys.authenticate(token)
    requirePermission(word, caller.permissions)
    return caller
  }
  const caller = await sessions.authenticate(token)
  await requireAtLevel(needs, caller, async (user) => isPermission(word) && (await roles.permissionsOf(user)).has(word))
  return caller
}

/**
 * Makes sure that a right holds for the caller at the level of the access token: a role that requires a second factor
 * does not count without one (RFC 9470).
 * @throws KeywardError `forbidden`; `reauthentication_required` when the right holds with a second factor
 */
export async function requireAtLevel(
  { factors }: Pick<AccessNeeds, 'factors'>,
  { user, acr }: Pick<SessionCaller, 'user' | 'acr'>,
  holds: (user: User) => boolean | Promise<boolean>,
): Promise<void> {
  const counted = await factors.atLevel(user, acr)
  if (await holds(counted)) return
  if (counted !== user && (await holds(user))) throw factorMissing()
  throw new KeywardError('forbidden')
}

function requirePermission(word: string, held: ReadonlySet<Permission>): void {
  if (!isPermission(word) || !held.has(word)) throw new KeywardError('forbidden')
}
