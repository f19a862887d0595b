import { KeywardError } from '../../errors.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { Deps } from '../../service.ts'
import { type ApiKeyCaller, authenticateApiKey, looksLikeApiKey } from '../api-keys/api-keys.ts'
import { isPermission, type Permission, permissionsOf } from '../roles/permissions.ts'
import { authenticate, authenticateExisting, type SessionCaller } from '../sessions/authenticate.ts'

type AuthorizeDeps = Pick<Deps, 'store' | 'clock' | 'accessTokens' | 'apiKeyMac'>

/**
 * Judges a bearer token by a route's access word: `user` and `existing-user` take the access token of a live session,
 * any other word is a permission, which an API key or the token's user must hold.
 * @throws KeywardError `invalid_token`, `user_not_found`, `forbidden`
 */
export function authorize(
  deps: AuthorizeDeps,
  token: string,
  access: string,
): MaybePromise<SessionCaller | ApiKeyCaller> {
  if (access === 'user') return authenticate(deps, token)
  if (access === 'existing-user') return authenticateExisting(deps, token)
  return authorizeFor(deps, token, access)
}

async function authorizeFor(deps: AuthorizeDeps, token: string, access: string): Promise<SessionCaller | ApiKeyCaller> {
  if (looksLikeApiKey(token)) {
    const key = await authenticateApiKey(deps, token)
    return requirePermission(key, access, key.permissions)
  }
  const principal = await authenticate(deps, token)
  return requirePermission(principal, access, await permissionsOf(deps, principal.user))
}

function requirePermission<P>(principal: P, word: string, held: ReadonlySet<Permission>): P {
  if (!isPermission(word) || !held.has(word)) throw new KeywardError('forbidden')
  return principal
}
