import { KeywardError } from '../../errors.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { type ApiKeyCaller, looksLikeApiKey } from '../api-keys/api-keys.ts'
import { isPermission, type Permission } from '../roles/roles.ts'
import type { ClientCaller, SessionCaller } from '../sessions/sessions.ts'
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

export async function authorizeByPermission(
  { sessions, apiKeys, roles }: AccessNeeds,
  token: string,
  word: string,
): Promise<Caller> {
  if (looksLikeApiKey(token)) {
    const caller = await apiKeys.authenticate(token)
    requirePermission(word, caller.permissions)
    return caller
  }
  const caller = await sessions.authenticate(token)
  requirePermission(word, await roles.permissionsOf(caller.user))
  return caller
}

function requirePermission(word: string, held: ReadonlySet<Permission>): void {
  if (!isPermission(word) || !held.has(word)) throw new KeywardError('forbidden')
}
