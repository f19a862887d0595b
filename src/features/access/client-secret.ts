import { KeywardError } from '../../errors.ts'
import { type ApiKeyCaller, looksLikeApiKey } from '../api-keys/api-keys.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { AccessNeeds, Requester } from './access.ts'
import { authorizeByPermission } from './authorize.ts'

/**
 * See `Access.authorizeSecret`. The secret is checked first, and only a wrong secret takes a place of the rate limit.
 * Therefore a service with an outdated API key does not stop other services of its network.
 */
export async function authorizeSecret(
  needs: AccessNeeds,
  secret: string,
  { access, client, ip }: { access: string } & Requester,
): Promise<SessionCaller | ApiKeyCaller> {
  try {
    // Any other text is a wrong secret. This includes access tokens, which authorize a person and not a client.
    if (looksLikeApiKey(secret)) return await authorizeByPermission(needs, secret, access)
  } catch (error) {
    if (!(error instanceof KeywardError) || error.code !== 'invalid_token') throw error
  }
  const place = await needs.limits.reserve([{ rule: 'client.secret', key: client }], { ip })
  place.keep()
  throw new KeywardError('invalid_client')
}
