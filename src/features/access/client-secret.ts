import { KeywardError } from '../../errors.ts'
import { type ApiKeyCaller, looksLikeApiKey } from '../api-keys/api-keys.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { AccessNeeds, Requester } from './access.ts'
import { authorize } from './authorize.ts'

/**
 * See `Access.authorizeSecret`. A wrong secret takes a place of the limit after the check of the secret. So the limit
 * never refuses a right secret: one service with an outdated key must not stop the others of its network.
 */
export async function authorizeSecret(
  needs: AccessNeeds,
  secret: string,
  { access, client, ip }: { access: string } & Requester,
): Promise<SessionCaller | ApiKeyCaller> {
  try {
    // Any other text is a wrong secret, an access token too: it authorizes a person and not a client.
    if (looksLikeApiKey(secret)) return await authorize(needs, secret, access)
  } catch (error) {
    if (!(error instanceof KeywardError) || error.code !== 'invalid_token') throw error
  }
  const place = await needs.limits.reserve([{ rule: 'client.secret', key: client }], { ip })
  place.keep()
  throw new KeywardError('invalid_client')
}
